/**
 * A disk that takes nothing or fails, told as which file cannot be used and what to do.
 *
 * @module
 */
import { CopyError } from "../events/kv_file_copy.ts";
import { SnapshotError } from "../events/sqlite_snapshot.ts";
import { firstLineOf } from "./first_line.ts";

/** A file cannot be used, for a reason that whoever owns the disk can mend. */
export class DiskError extends Error {
  override readonly name = "DiskError";
}

/** What the operating system and SQLite say of a disk that takes nothing, with what is to be said and done. */
const TROUBLES: readonly (readonly [RegExp, (found: string) => string])[] = [
  [
    /disk is full|No space left on device|not enough space on the disk|quota exceeded/i,
    () => "cannot be written: the disk is full. Make room and try again",
  ],
  [
    /readonly database|read-only file system|write.protected/i,
    (found) =>
      `cannot be written: it is read-only (${found}). Make it writable, or name another place, and try again`,
  ],
  [
    // SQLite says so too when there is no room for what it keeps beside the file, also of reading.
    /disk I\/O error|input\/output error/i,
    (found) =>
      `cannot be used: its disk is full or fails (${found}). Make room, or mend the disk, and try again`,
  ],
];

/**
 * What comes of work that writes to the file, or into the folder, at `path`.
 *
 * @throws {DiskError} If the disk takes nothing; whatever else goes wrong comes through as it is.
 */
export async function writtenTo<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw diskErrorAt(path, error) ?? error;
  }
}

/** `undefined` when the error tells of something else, or of another file. */
export function diskErrorAt(path: string, cause: unknown): DiskError | undefined {
  if (cause instanceof DiskError) return cause;
  if (cause instanceof SnapshotError || cause instanceof CopyError) return undefined;
  const line = firstLineOf(cause);
  for (const [pattern, say] of TROUBLES) {
    const found = pattern.exec(line);
    if (found) return new DiskError(`${path} ${say(found[0])}`, { cause });
  }
  return undefined;
}
