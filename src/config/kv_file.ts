/**
 * Daybook's own KV file.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

/**
 * Creates the file so that its free pages can be given back while it is in use; leaves one that is there alone.
 *
 * `auto_vacuum` can be chosen only before a database has its first table, and Deno KV does not choose it.
 */
export function createKvFile(path: string): void {
  try {
    Deno.statSync(path);
    return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const database = new DatabaseSync(path);
  try {
    // The table makes SQLite write the header, with the choice in it.
    database.exec("PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE first (x); DROP TABLE first;");
  } finally {
    database.close();
  }
}
