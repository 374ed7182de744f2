/**
 * Makes the file that Daybook's Deno KV lives in: one that can shrink later, and whose writes pay for one tree, not two.
 *
 * @module
 */
import { basename, dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { realPath } from "./real_path.ts";

/**
 * Deno KV indexes the expiry of every key, also of those that never expire, which are all of Daybook's: each put and
 * each delete then changes a second tree. It asks for `expiration_ms >= 0` only, so an index of those keys serves it.
 */
const INDEX_WHAT_EXPIRES = `
  BEGIN IMMEDIATE;
  DROP INDEX IF EXISTS kv_expiration_ms_idx;
  CREATE INDEX kv_expiration_ms_idx ON kv (expiration_ms) WHERE expiration_ms >= 0;
  COMMIT`;

/** What SQLite keeps beside a file, by what is added to its name. */
export const BESIDE_KV_FILE = ["-wal", "-shm", "-journal"];

/**
 * Creates the SQLite file at `path`, and its folder, with Deno KV's tables, in the place of none or of one without a
 * table; leaves any other alone. The file appears whole or not at all. Two calls at once for one path are not for this:
 * hold the file's lock.
 *
 * Call it before `Deno.openKv(path)`. `auto_vacuum=INCREMENTAL` can be set only before a file's first table, and without
 * it `db_optimize` cannot give free pages back while Daybook runs.
 *
 * @returns Whether it made the file.
 * @throws {Error} If the folder or the file cannot be made; names the path.
 */
export async function createKvFile(path: string): Promise<boolean> {
  try {
    // What a link leads to need not be there yet, and the link is to stay one.
    const at = realPath(path);
    if (exists(at)) {
      if (!isWithoutTables(at)) return false;
    } else refuseToLose(`${at}-wal`);
    Deno.mkdirSync(dirname(at), { recursive: true });
    const unfinished = `${at}.creating`;
    try {
      removeAll(["", ...BESIDE_KV_FILE].map((suffix) => unfinished + suffix));
      await build(unfinished);
      // Else SQLite would take what is in them for the new file's.
      removeAll(BESIDE_KV_FILE.map((suffix) => at + suffix));
      Deno.renameSync(unfinished, at);
    } catch (error) {
      removeAll(["", ...BESIDE_KV_FILE].map((suffix) => unfinished + suffix));
      throw error;
    }
    syncFolder(dirname(at));
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot create Daybook's file ${path}: ${reason}`, { cause: error });
  }
}

async function build(path: string): Promise<void> {
  {
    using database = new DatabaseSync(path);
    database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    // Writes the file's first page, with the setting; Deno KV chooses the same mode.
    database.exec("PRAGMA journal_mode = WAL");
    (await Deno.openKv(path)).close();
    database.exec(INDEX_WHAT_EXPIRES);
    // Takes all that stands beside the file into it, or fails.
    database.exec("PRAGMA journal_mode = DELETE");
  }
  using file = Deno.openSync(path, { read: true, write: true });
  file.syncSync();
}

/** As it is until the first statement of whoever makes it has come to the disk. */
function isWithoutTables(path: string): boolean {
  try {
    // Not looked at by any other means: closing another handle on the file of an open SQLite connection drops its locks (POSIX).
    using database = new DatabaseSync(path, { readOnly: true });
    return database.prepare("SELECT 1 FROM sqlite_master LIMIT 1").get() === undefined;
  } catch {
    // Deno KV says what is wrong with it.
    return false;
  }
}

/** What the log's last owner wrote may be nowhere else. */
function refuseToLose(wal: string): void {
  if (!exists(wal) || Deno.lstatSync(wal).size === 0) return;
  throw new Error(
    `${wal} is there without its file, and may hold events: put the file back, or move ${basename(wal)} away`,
  );
}

function removeAll(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** So that the name is as durable as the file. */
function syncFolder(path: string): void {
  try {
    using folder = Deno.openSync(path);
    folder.syncSync();
  } catch {
    // Windows opens no folders, and some file systems sync none; the file is whole all the same.
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
