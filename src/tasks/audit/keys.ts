/**
 * Keys and other files that are named on the command line.
 *
 * @module
 */
import { createPublicKey } from "node:crypto";
import type { Config } from "../../config/config.ts";
import type { Head } from "../../events/head.ts";
import { cutOffEnd } from "../../events/merkle/cut_checkpoint.ts";
import {
  MalformedNoteError,
  type NoteVerifier,
  parseVerifierKey,
  rawPublicKey,
  splitNotes,
} from "../../events/merkle/signed_note.ts";
import { keptSigningKey } from "../../wiring/signing_key.ts";

/** @param named Each a verifier's key, or a file with such keys, one a line. */
export async function keysNamed(named: readonly string[]): Promise<NoteVerifier[]> {
  return (await Promise.all(named.map(keysIn))).flat();
}

/** The configured signing key's, as this log's and as that of the logs it was restored from; none without a key. */
export async function ownKeys(config: Config, { log_id, earlier = [] }: Head): Promise<NoteVerifier[]> {
  const own = await keptSigningKey(config.signingKeyPath).catch((error) => {
    // An auditor need not be able to sign.
    if (error.cause instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  });
  if (!own) return [];
  const publicKey = rawPublicKey(createPublicKey(own));
  return [log_id, ...earlier.map(({ log_id }) => log_id)].map((name) => ({ name, publicKey }));
}

/**
 * What was cut off when it was written is told of and passed over: a checkpoint without its signature says nothing.
 *
 * @param paths Of files with checkpoints, one after another.
 */
export async function checkpointsIn(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(async (path) => {
    const text = await textOf(path, "checkpoint");
    const end = cutOffEnd(text);
    if (end !== "") {
      console.error(`${path}: its last checkpoint was cut off when it was written, and is passed over`);
    }
    const notes = splitNotes(text.slice(0, text.length - end.length));
    if (notes.length === 0) throw new MalformedNoteError(`${path} holds no checkpoint`);
    return notes;
  }));
  return found.flat();
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
