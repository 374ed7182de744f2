/**
 * Makes the file that Daybook's Deno KV lives in, so that it can shrink later.
 *
 * @module
 */
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Creates the SQLite file at `path`, and its folder, with `auto_vacuum=INCREMENTAL`; leaves an existing file alone.
 *
 * Call it before `Deno.openKv(path)`. The setting can be made only before a file's first table, and without it
 * `db_optimize` cannot give free pages back while Daybook runs.
 *
 * @throws {Error} If the folder or the file cannot be made; names the path.
 */
export function createKvFile(path: string): void {
  try {
    // By `lstat` alone: closing another handle on the file of an open SQLite connection drops its locks (POSIX).
    if (exists(path)) return;
    Deno.mkdirSync(dirname(path), { recursive: true });
    using database = new DatabaseSync(path);
    database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    // Writes the file's first page, with the setting; Deno KV chooses the same mode.
    database.exec("PRAGMA journal_mode = WAL");
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
