/**
 * A cache in a Deno KV file of its own, for one process and no server.
 *
 * Every entry has its expiry beside it, and an index by expiry time finds what is over without reading the rest.
 * Entry and index change in one atomic commit, so that a crash at any point leaves both or neither. Deno KV's own
 * `expireIn` is not used: it can bring the process down when the disk is full.
 *
 * Expired entries are invisible at once and take up room until a flush removes them. A flush frees room in the file
 * for new entries; the file itself does not shrink.
 *
 * @module
 */
import { dirname } from "node:path";
import type { CacheSelection, Json } from "../handlers/handler.ts";
import type { ClosableCache } from "./closable_cache.ts";
import { checkKey, encodeValue, ttlMilliseconds } from "./entry_limits.ts";
import {
  entryKey,
  expiryKey,
  keyOf,
  removeFrom,
  SLICE_ENTRIES,
  slices,
  storedBytes,
} from "./embedded_entries.ts";
import type { Found, StoredEntry } from "./embedded_entries.ts";
import { compileGlob } from "./glob.ts";

/** Most keys that one `getMany` takes. */
const READ_KEYS = 10;

/**
 * Opens the cache in the file at `path`, which is made with its folder when it is not there; `:memory:` keeps it in
 * memory. Only one process may have the file open.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * await using cache = await openEmbeddedCache(":memory:");
 * await cache.set("rates:EUR", { usd: 1.08 }, { ttlSeconds: 3600 });
 * await cache.set("motd", "hello");
 *
 * assertEquals(await cache.get("rates:EUR"), { usd: 1.08 });
 * const { items } = await cache.flush({ all: false, pattern: "rates:*" });
 * assertEquals(items, 1);
 * assertEquals(await cache.get("motd"), "hello");
 * ```
 *
 * @param options.now The clock that expiry is measured by. Default: the wall clock.
 */
export async function openEmbeddedCache(
  path: string,
  options: { readonly now?: () => Date } = {},
): Promise<ClosableCache> {
  if (path !== ":memory:") await Deno.mkdir(dirname(path), { recursive: true });
  return new EmbeddedCache(await Deno.openKv(path), options.now ?? (() => new Date()));
}

class EmbeddedCache implements ClosableCache {
  #closed = false;

  constructor(private readonly kv: Deno.Kv, private readonly now: () => Date) {}

  async get(key: string): Promise<Json | undefined> {
    checkKey(key);
    const { value } = await this.kv.get<StoredEntry>(entryKey(key));
    if (value === null || this.isOver(value)) return undefined;
    return JSON.parse(new TextDecoder().decode(value.json));
  }

  async set(key: string, value: Json, options: { ttlSeconds?: number } = {}): Promise<void> {
    checkKey(key);
    const json = encodeValue(value);
    const ttl = options.ttlSeconds === undefined ? null : ttlMilliseconds(options.ttlSeconds);
    const expiresAt = ttl === null ? null : this.now().getTime() + ttl;
    await this.replace(key, { json, expiresAt });
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key);
    const before = await this.replace(key, null);
    return before !== null && !this.isOver(before);
  }

  async flush(selection: CacheSelection, signal?: AbortSignal): Promise<{ items: number; bytes: number }> {
    const freed = { items: 0, bytes: 0 };
    for (const entries of this.selected(selection)) {
      for await (const slice of slices(entries)) {
        signal?.throwIfAborted();
        for (const entry of await this.remove(slice)) {
          freed.items += 1;
          freed.bytes += storedBytes(entry);
        }
      }
    }
    return freed;
  }

  close(): Promise<void> {
    if (!this.#closed) this.kv.close();
    this.#closed = true;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private isOver(entry: StoredEntry): boolean {
    return entry.expiresAt !== null && entry.expiresAt <= this.now().getTime();
  }

  /** Writes the entry and its place in the index, or removes both, and answers what was there. */
  private async replace(key: string, entry: StoredEntry | null): Promise<StoredEntry | null> {
    while (true) {
      const before = await this.kv.get<StoredEntry>(entryKey(key));
      if (entry === null && before.value === null) return null;
      const commit = this.kv.atomic().check(before);
      removeFrom(commit, key, before.value?.expiresAt ?? null);
      if (entry !== null) commit.set(entryKey(key), entry);
      if (entry !== null && entry.expiresAt !== null) commit.set(expiryKey(entry.expiresAt, key), 0);
      if ((await commit.commit()).ok) return before.value;
    }
  }

  /** What a selection names, one source after the other; `null` is an entry looked at that stays. */
  private selected(selection: CacheSelection): AsyncIterable<Found | null>[] {
    if (selection.all) return [this.entries(() => true)];
    const glob = selection.pattern === undefined ? undefined : compileGlob(selection.pattern);
    const expired = this.expired();
    return glob === undefined ? [expired] : [expired, this.entries((key) => glob.matches(key))];
  }

  private async *entries(wanted: (key: string) => boolean): AsyncGenerator<Found | null> {
    for await (const entry of this.kv.list<StoredEntry>({ prefix: ["c"] }, { batchSize: SLICE_ENTRIES })) {
      yield wanted(keyOf(entry)) ? entry : null;
    }
  }

  private async *expired(): AsyncGenerator<Found> {
    const range = { start: ["x"], end: ["x", this.now().getTime() + 1] };
    let keys: Deno.KvKey[] = [];
    for await (const { key } of this.kv.list(range, { batchSize: SLICE_ENTRIES })) {
      if (keys.length === READ_KEYS) {
        yield* await this.readExpired(keys);
        keys = [];
      }
      keys.push(entryKey(key.at(-1) as string));
    }
    yield* await this.readExpired(keys);
  }

  private async readExpired(keys: readonly Deno.KvKey[]): Promise<Found[]> {
    return (await this.read(keys)).filter(({ value }) => this.isOver(value));
  }

  private async read(keys: readonly Deno.KvKey[]): Promise<Found[]> {
    const found: Found[] = [];
    for (let from = 0; from < keys.length; from += READ_KEYS) {
      const entries = await this.kv.getMany<StoredEntry[]>(keys.slice(from, from + READ_KEYS));
      found.push(...entries.filter((entry) => entry.versionstamp !== null));
    }
    return found;
  }

  /**
   * Removes the entries in one commit and answers those removed. An entry written since it was read stays: each
   * refused commit takes at least one of them out of the slice, so this ends.
   */
  private async remove(slice: Found[]): Promise<Found[]> {
    while (slice.length > 0) {
      const commit = this.kv.atomic().check(...slice);
      for (const entry of slice) removeFrom(commit, keyOf(entry), entry.value.expiresAt);
      if ((await commit.commit()).ok) return slice;
      const current = await this.read(slice.map(({ key }) => key));
      const versions = new Map(current.map((entry) => [keyOf(entry), entry.versionstamp]));
      slice = slice.filter((entry) => versions.get(keyOf(entry)) === entry.versionstamp);
    }
    return [];
  }
}
