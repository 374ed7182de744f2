/**
 * A store that counts what is read from it, so that a test can say that a cost does not grow.
 *
 * @module
 */
import { EVENTS } from "../../../src/events/head.ts";
import type { Commit, Store, StoreEntry, StoreKey, StoreRange } from "../../../src/events/store.ts";

export class CountingStore implements Store {
  readonly #inner: Store;
  /** Requests for reading. */
  requests = 0;
  /** Keys that they named, one by one. */
  keys = 0;
  /** Entries that they brought. */
  entries = 0;
  /** Pages of the log that were listed. */
  pages = 0;

  constructor(inner: Store) {
    this.#inner = inner;
  }

  /** What `work` reads. */
  async during(work: () => Promise<unknown>): Promise<{ requests: number; keys: number; entries: number }> {
    const { requests, keys, entries } = this;
    await work();
    return {
      requests: this.requests - requests,
      keys: this.keys - keys,
      entries: this.entries - entries,
    };
  }

  async get(key: StoreKey) {
    const found = await this.#inner.get(key);
    this.keys += 1;
    this.#count(found.value ? 1 : 0);
    return found;
  }

  async getMany(keys: readonly StoreKey[]) {
    const values = await this.#inner.getMany(keys);
    this.keys += keys.length;
    this.#count(values.filter((value) => value !== null).length);
    return values;
  }

  async list(range: StoreRange, options: { limit: number; reverse?: boolean }): Promise<StoreEntry[]> {
    const entries = await this.#inner.list(range, options);
    this.#count(entries.length);
    if (range.prefix[0] === EVENTS) this.pages += entries.length;
    return entries;
  }

  commit(commit: Commit) {
    return this.#inner.commit(commit);
  }

  close() {
    this.#inner.close();
  }

  #count(entries: number): void {
    this.requests += 1;
    this.entries += entries;
  }
}
