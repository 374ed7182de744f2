/**
 * Keys and other files that are named on the command line.
 *
 * @module
 */
import { MalformedNoteError, type NoteVerifier, parseVerifierKey } from "../../events/merkle/signed_note.ts";

/** @param named Each a verifier's key, or a file with such keys, one a line. */
export async function keysNamed(named: readonly string[]): Promise<NoteVerifier[]> {
  return (await Promise.all(named.map(keysIn))).flat();
}

async function keysIn(text: string): Promise<NoteVerifier[]> {
  if (/^\S+\+[0-9a-f]{8}\+/.test(text)) return [parseVerifierKey(text)];
  const lines = (await textOf(text, "key")).split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0) throw new MalformedNoteError(`${text} holds no key`);
  return lines.map(parseVerifierKey);
}

export async function textOf(path: string, what: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "there is no such file" : (error as Error).message;
    throw new Error(`Cannot read the ${what} ${path}: ${why}`, { cause: error });
  }
}

/** An option that may be repeated. */
export function several(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
