/**
 * Makes the file that Daybook's Deno KV lives in: one that can shrink later, and whose writes pay for one tree, not two.
 *
 * @module
 */
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Deno KV indexes the expiry of every key, also of those that never expire, which are all of Daybook's: each put and
 * each delete then changes a second tree. It asks for `expiration_ms >= 0` only, so an index of those keys serves it.
 */
const INDEX_WHAT_EXPIRES = `
  BEGIN IMMEDIATE;
  DROP INDEX IF EXISTS kv_expiration_ms_idx;
  CREATE INDEX kv_expiration_ms_idx ON kv (expiration_ms) WHERE expiration_ms >= 0;
  COMMIT`;

/**
 * Creates the SQLite file at `path`, and its folder, with Deno KV's tables; leaves an existing file alone.
 *
 * Call it before `Deno.openKv(path)`. `auto_vacuum=INCREMENTAL` can be set only before a file's first table, and without
 * it `db_optimize` cannot give free pages back while Daybook runs.
 *
 * @throws {Error} If the folder or the file cannot be made; names the path.
 */
export async function createKvFile(path: string): Promise<void> {
  try {
    // By `lstat` alone: closing another handle on the file of an open SQLite connection drops its locks (POSIX).
    if (exists(path)) return;
    Deno.mkdirSync(dirname(path), { recursive: true });
    using database = new DatabaseSync(path);
    database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    // Writes the file's first page, with the setting; Deno KV chooses the same mode.
    database.exec("PRAGMA journal_mode = WAL");
    (await Deno.openKv(path)).close();
    database.exec(INDEX_WHAT_EXPIRES);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot create Daybook's file ${path}: ${reason}`, { cause: error });
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
