/**
 * Runs `deno task audit` as an operator does, on a file that holds an entry of each kind.
 *
 * @module
 */
import fc from "fast-check";
import { fileURLToPath } from "node:url";
import { createKvFile } from "../../../src/config/kv_file.ts";
import { KvStore } from "../../../src/events/kv_store.ts";
import { anyLog, storeOf } from "../../audit/support/random_log.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** One with an entry of each kind. */
export const STEPS = fc.sample(anyLog, { numRuns: 1, seed: 22 })[0]!;

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function audit(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", "audit", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

export async function withFile(test: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "daybook_audit_" });
  try {
    const path = `${dir}/daybook.kv`;
    await createKvFile(path);
    await throughKv(path, (store) => storeOf(STEPS, store));
    await test(path);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
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
