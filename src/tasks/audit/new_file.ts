/**
 * A file that a new log is to get.
 *
 * @module
 */

import { BESIDE_KV_FILE } from "../../config/kv_file.ts";

/** A log is never written over. */
export async function mustBeFree(path: string): Promise<void> {
  for (const each of [path, `${path}-wal`]) {
    if (!await isThere(each)) continue;
    throw new Error(
      `${each} is there already: stop the server and move it away first, or name another with --kv`,
    );
  }
}

/** Nor is a backup. */
export async function mustBeNew(path: string): Promise<void> {
  if (await isThere(path)) throw new Error(`${path} is there already: name another file with --out`);
}

/** Also as a link that leads nowhere. */
async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** With what SQLite keeps beside it. */
export async function removeKvFile(path: string): Promise<void> {
  for (const suffix of ["", ...BESIDE_KV_FILE]) await Deno.remove(path + suffix).catch(() => {});
}
