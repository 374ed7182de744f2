/**
 * Appends checkpoints to a file so that each is read by itself, whatever cut an earlier append off.
 *
 * @module
 */
import { cutOffEnd } from "../events/merkle/cut_checkpoint.ts";

/** A file open for appending, as `Deno.FsFile` is. */
export interface AppendedFile {
  stat(): Promise<{ readonly size: number; readonly isFile: boolean }>;
  seek(offset: number, whence: Deno.SeekMode): Promise<number>;
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  truncate(size: number): Promise<void>;
  sync(): Promise<void>;
}

/** More than a checkpoint has. */
const TAIL_BYTES = 4_096;
const LINE_BREAK = 0x0a;

/** Appends all the notes or, unless the file can only be appended to, nothing of them; what it wrote is on disk. */
export async function appendNotes(file: AppendedFile, notes: readonly string[]): Promise<void> {
  const { start, lead } = await afterWholeNotes(file);
  const bytes = new TextEncoder().encode(lead + notes.join(""));
  let at = 0;
  try {
    while (at < bytes.length) at += await file.write(bytes.subarray(at));
    await file.sync();
  } catch (error) {
    await takeBack(file, start, at).catch(() => {});
    throw error;
  }
}

/** Removes what a killed process left of a checkpoint; answers where the file ends then, and what must stand there first. */
async function afterWholeNotes(file: AppendedFile): Promise<{ start: number; lead: string }> {
  const { size, isFile } = await file.stat();
  if (!isFile || size === 0) return { start: size, lead: "" };
  const tail = await tailOf(file, size);
  // Nothing can be known of a file that may be written only.
  if (tail === undefined) return { start: size, lead: "" };
  const text = new TextDecoder().decode(tail);
  const end = cutOffEnd(text);
  if (end === "") return { start: size, lead: text.endsWith("\n") ? "" : "\n" };
  const start = size - lastLines(tail, end.split("\n").length);
  try {
    await file.truncate(start);
    return { start, lead: "" };
  } catch {
    // It can only be appended to, as with `chattr +a`: what comes next is kept all the same.
    return { start: size, lead: "\n\n" };
  }
}

/** Nothing of others, should they append to the same file. */
async function takeBack(file: AppendedFile, start: number, written: number): Promise<void> {
  if (written > 0 && (await file.stat()).size === start + written) await file.truncate(start);
}

async function tailOf(file: AppendedFile, size: number): Promise<Uint8Array | undefined> {
  const tail = new Uint8Array(Math.min(size, TAIL_BYTES));
  try {
    await file.seek(-tail.length, Deno.SeekMode.End);
    for (let at = 0; at < tail.length;) {
      const read = await file.read(tail.subarray(at));
      if (read === null) return undefined;
      at += read;
    }
    return tail;
  } catch {
    return undefined;
  }
}

/** How many bytes so many lines at the end have. Counted in bytes, since text that was cut does not decode to itself. */
function lastLines(bytes: Uint8Array, lines: number): number {
  let from = bytes.length;
  for (let i = 0; i < lines && from >= 0; i++) from = bytes.lastIndexOf(LINE_BREAK, from - 1);
  return bytes.length - from - 1;
}
