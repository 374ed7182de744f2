/**
 * The log that a command of the audit reads.
 *
 * @module
 */
import { loadConfig } from "../../config/config.ts";
import { KvStore } from "../../events/kv_store.ts";
import { SqliteSnapshot } from "../../events/sqlite_snapshot.ts";
import type { Store } from "../../events/store.ts";

export const KV_OPTION = [
  "--kv <path>",
  "the file, a copy of it, or the address of a KV Connect server, whose writers must be stopped (default: the file of\n" +
  "the configuration)",
] as const;

/** The log for as long as the work lasts: one state of a file. @param kv Default: the configured file. */
export async function withLog<T>(
  kv: string | undefined,
  work: (store: Store, path: string) => Promise<T>,
): Promise<T> {
  const path = kv ?? loadConfig(Deno.env).kvPath;
  const store = isAddress(path) ? new KvStore(await Deno.openKv(path)) : SqliteSnapshot.open(path);
  try {
    return await work(store, path);
  } finally {
    store.close();
  }
}

/** Whether it is that of a KV Connect server. */
export function isAddress(kv: string): boolean {
  return /^https?:\/\//.test(kv);
}
