/**
 * The store on Deno KV.
 *
 * Each commit is fsynced by Deno KV before it answers. Never `sum`, `expireIn` or `enqueue` here: the first can leave
 * half an atomic operation committed, the others can end the process when the disk is full.
 *
 * @module
 */
import { type Clock, sleep, systemClock } from "./clock.ts";
import { messageOf, StoreUnreadableError } from "./errors.ts";
import type { Commit, Store, StoreEntry, StoreKey, StoreRange } from "./store.ts";

/** Deno KV reads at most this many keys in one `getMany`. */
const KEYS_PER_READ = 10;
/** SQLite fails at once, and does not wait, when another connection has written since a transaction's first read. */
const LOCK_PATIENCE_MS = 2_000;
const LONGEST_LOCK_PAUSE_MS = 50;

export interface KvStoreOptions {
  readonly clock?: Clock;
  /** Asked before each commit, which fails when it throws. */
  readonly mayWrite?: () => void;
}

export class KvStore implements Store {
  readonly #kv: Deno.Kv;
  readonly #clock: Clock;
  readonly #mayWrite: () => void;

  constructor(kv: Deno.Kv, { clock = systemClock, mayWrite = () => {} }: KvStoreOptions = {}) {
    this.#kv = kv;
    this.#clock = clock;
    this.#mayWrite = mayWrite;
  }

  async get(key: StoreKey): Promise<{ value: Uint8Array | null; versionstamp: string | null }> {
    const { value, versionstamp } = await readable(this.#kv.get<Uint8Array>(key));
    return { value, versionstamp };
  }

  async getMany(keys: readonly StoreKey[]): Promise<(Uint8Array | null)[]> {
    const reads = [];
    for (let i = 0; i < keys.length; i += KEYS_PER_READ) {
      reads.push(this.#kv.getMany<Uint8Array[]>(keys.slice(i, i + KEYS_PER_READ)));
    }
    return (await readable(Promise.all(reads))).flat().map((entry) => entry.value);
  }

  async list(range: StoreRange, options: { limit: number; reverse?: boolean }): Promise<StoreEntry[]> {
    const entries: StoreEntry[] = [];
    const selector = toSelector(range);
    const found = this.#kv.list<Uint8Array>(selector, {
      limit: options.limit,
      reverse: options.reverse ?? false,
      batchSize: Math.min(options.limit, 500),
    });
    await readable((async () => {
      for await (const { key, value } of found) entries.push({ key: key as StoreKey, value });
    })());
    return entries;
  }

  /** Tries again while another connection holds the file's lock, as `db_optimize` does for moments. */
  async commit(commit: Commit): Promise<string | null> {
    const deadline = this.#clock.monotonic() + LOCK_PATIENCE_MS;
    this.#mayWrite();
    for (let pause = 1;; pause = Math.min(2 * pause, LONGEST_LOCK_PAUSE_MS)) {
      try {
        return await this.#commitOnce(commit);
      } catch (error) {
        // Were it written all the same, its own check would refuse the repetition.
        if (!isLocked(error) || this.#clock.monotonic() >= deadline) throw error;
      }
      await sleep(this.#clock, pause);
    }
  }

  async #commitOnce(commit: Commit): Promise<string | null> {
    const atomic = this.#kv.atomic().check({
      key: commit.check.key,
      versionstamp: commit.check.versionstamp,
    });
    for (const { key, value } of commit.puts) atomic.set(key, value);
    for (const key of commit.deletes) atomic.delete(key);
    const result = await atomic.commit();
    return result.ok ? result.versionstamp : null;
  }

  close(): void {
    this.#kv.close();
  }
}

/** Says of a failed read that it was one, so that nobody takes it for a mistake of ours. */
async function readable<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw new StoreUnreadableError(error);
  }
}

function isLocked(error: unknown): boolean {
  return messageOf(error).includes("database is locked");
}

function toSelector({ prefix, start, end }: StoreRange): Deno.KvListSelector {
  if (start && end) return { start, end };
  if (start) return { prefix, start };
  if (end) return { prefix, end };
  return { prefix };
}
