/**
 * What the runtime writes, recorded and written again straight to Deno KV.
 *
 * The replay takes the very keys and values of the runtime's commits, so that both do the same work on disk: as many
 * mutations in each commit, bytes, time-ordered keys, overwritten rows and deleted index entries.
 *
 * @module
 */
import type { Commit, Store, StoreEntry, StoreKey, StoreRange } from "../src/events/store.ts";

/** A store that keeps in `recordTo` what is committed to another. */
export class RecordingStore implements Store {
  readonly #store: Store;
  readonly #recordTo: Commit[];

  constructor(store: Store, recordTo: Commit[]) {
    this.#store = store;
    this.#recordTo = recordTo;
  }

  get(key: StoreKey): Promise<{ value: Uint8Array | null; versionstamp: string | null }> {
    return this.#store.get(key);
  }

  getMany(keys: readonly StoreKey[]): Promise<(Uint8Array | null)[]> {
    return this.#store.getMany(keys);
  }

  list(range: StoreRange, options: { limit: number; reverse?: boolean }): Promise<StoreEntry[]> {
    return this.#store.list(range, options);
  }

  commit(commit: Commit): Promise<string | null> {
    this.#recordTo.push(commit);
    return this.#store.commit(commit);
  }

  close(): void {
    this.#store.close();
  }
}

/** Commits one after another to a fresh file; answers the milliseconds from commit number `from` on. */
export async function replay(path: string, commits: readonly Commit[], from: number): Promise<number> {
  const kv = await Deno.openKv(path);
  try {
    for (const commit of commits.slice(0, from)) await commitRaw(kv, commit);
    const began = performance.now();
    for (const commit of commits.slice(from)) await commitRaw(kv, commit);
    return performance.now() - began;
  } finally {
    kv.close();
  }
}

/** Without the check of the head, which replayed versionstamps would not pass. */
async function commitRaw(kv: Deno.Kv, { puts, deletes }: Commit): Promise<void> {
  const atomic = kv.atomic();
  for (const { key, value } of puts) atomic.set(key, value);
  for (const key of deletes) atomic.delete(key);
  await atomic.commit();
}
