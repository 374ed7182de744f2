/**
 * A consistent copy of the embedded Deno KV file, beside a process that writes to it.
 *
 * @module
 */
import { backup, DatabaseSync } from "node:sqlite";

/** The disk of one of the two files fails, and SQLite does not say which. */
export class CopyError extends Error {
  override readonly name = "CopyError";
  constructor(from: string, to: string, cause: Error) {
    super(`Cannot copy ${from} to ${to}: ${cause.message}. The disk of one of them is full or fails`, {
      cause,
    });
  }
}

/** Pages of 4 KiB between two reports. */
const PAGES_PER_STEP = 4_096;

/**
 * Copies one state of the file at `from` into a new file at `to`, which is on disk when this resolves, readable by its
 * owner only, and needs no other file beside it.
 *
 * @param onProgress Told of the pages copied so far and of how many there are.
 * @throws {CopyError} If a disk fails.
 * @throws {Error} If `from` cannot be read or `to` not be written for another reason.
 */
export async function copyKvFile(
  from: string,
  to: string,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<void> {
  // Before anything is in it.
  (await Deno.open(to, { write: true, createNew: true, mode: 0o600 })).close();
  using source = new DatabaseSync(from, { readOnly: true });
  // A read transaction of its own keeps the writer from starting the copy anew with each commit.
  source.exec("BEGIN");
  source.prepare("SELECT count(*) FROM sqlite_master").get();
  await backup(source, to, {
    rate: PAGES_PER_STEP,
    progress: ({ totalPages, remainingPages }) => onProgress(totalPages - remainingPages, totalPages),
  }).catch((error) => {
    throw /disk I\/O error/.test(error.message) ? new CopyError(from, to, error) : error;
  });
  settleKvFile(to);
}

/** Takes what stands beside the file into it, and syncs it. No other connection may be open. */
export function settleKvFile(path: string): void {
  {
    using database = new DatabaseSync(path);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.exec("PRAGMA journal_mode = DELETE");
  }
  using file = Deno.openSync(path, { read: true, write: true });
  file.syncSync();
}
