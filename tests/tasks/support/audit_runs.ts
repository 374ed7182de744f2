/**
 * Runs `deno task audit` as an operator does, on a file that holds an entry of each kind.
 *
 * @module
 */
import fc from "fast-check";
import { dirname } from "node:path";
import { createKvFile } from "../../../src/config/kv_file.ts";
import { KvStore } from "../../../src/events/kv_store.ts";
import { anyLog, storeOf } from "../../audit/support/random_log.ts";
import { type Run, runTask } from "../../support/task_run.ts";
import { withTempDir } from "../../support/temp_dir.ts";

/** One with an entry of each kind. */
export const STEPS = fc.sample(anyLog, { numRuns: 1, seed: 22 })[0]!;

/** Runs `deno task audit`. */
export function audit(args: readonly string[], env?: Record<string, string>): Promise<Run> {
  return runTask("audit", args, env);
}

/** Runs a task on the data of this file. */
export function runOn(kv: string, name: string, args: readonly string[]): Promise<Run> {
  return runTask(name, args, { DAYBOOK_KV: kv, DAYBOOK_DATA: dirname(kv) });
}

export function withFile(test: (path: string) => Promise<void>): Promise<void> {
  return withTempDir(async (dir) => {
    const path = `${dir}/daybook.kv`;
    await createKvFile(path);
    await throughKv(path, (store) => storeOf(STEPS, store));
    await test(path);
  });
}

/** The file is Deno KV's while this lasts, and nobody's afterwards. */
export async function throughKv<T>(path: string, work: (store: KvStore) => Promise<T>): Promise<T> {
  const store = new KvStore(await Deno.openKv(path));
  try {
    return await work(store);
  } finally {
    store.close();
  }
}
