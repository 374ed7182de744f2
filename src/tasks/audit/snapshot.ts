/**
 * The file that a command of the audit reads.
 *
 * @module
 */
import { loadConfig } from "../../config/config.ts";
import { SqliteSnapshot } from "../../events/sqlite_snapshot.ts";

export const KV_OPTION = [
  "--kv <path>",
  "the file; a copy will do (default: that of the configuration)",
] as const;

/** One state of the file, for as long as the work lasts. @param kv Default: the configured file. */
export async function withSnapshot<T>(
  kv: string | undefined,
  work: (snapshot: SqliteSnapshot, path: string) => Promise<T>,
): Promise<T> {
  const path = kv ?? loadConfig(Deno.env).kvPath;
  const snapshot = SqliteSnapshot.open(path);
  try {
    return await work(snapshot, path);
  } finally {
    snapshot.close();
  }
}
