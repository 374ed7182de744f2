/**
 * A file that a new log is to get.
 *
 * @module
 */

import { BESIDE_KV_FILE } from "../../config/kv_file.ts";

/** A log is never written over. */
export async function mustBeFree(path: string): Promise<void> {
  for (const each of [path, `${path}-wal`]) {
    try {
      await Deno.lstat(each);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    throw new Error(
      `${each} is there already: stop the server and move it away first, or name another with --kv`,
    );
  }
}

/** With what SQLite keeps beside it. */
export async function removeKvFile(path: string): Promise<void> {
  for (const suffix of ["", ...BESIDE_KV_FILE]) await Deno.remove(path + suffix).catch(() => {});
}
