/**
 * A store that can say whether entries are there without handing them out.
 *
 * @module
 */
import type { Store, StoreEntry, StoreRange } from "../events/store.ts";
import { sameBytes } from "./same_value.ts";

export interface ComparedStore extends Store {
  /** Of each entry, whether it is there with this very value. */
  holds(entries: readonly StoreEntry[]): Promise<boolean[]>;
  count(range: StoreRange): Promise<number>;
}

const PAGE = 1_000;

/** The store itself if it can, else one that reads and counts for it. */
export function comparedStore(store: Store): ComparedStore {
  if ("holds" in store && "count" in store) return store as ComparedStore;
  return {
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    list: (range, options) => store.list(range, options),
    commit: (commit) => store.commit(commit),
    close: () => store.close(),
    holds: async (entries) => {
      const found = await store.getMany(entries.map(({ key }) => key));
      return entries.map(({ value }, i) => found[i] !== null && sameBytes(found[i]!, value));
    },
    count: async (range) => {
      let entries = 0;
      for await (const page of pagesOf(store, range)) entries += page.length;
      return entries;
    },
  };
}

/** All entries of the range, in order. */
export async function* pagesOf(store: Store, range: StoreRange): AsyncGenerator<StoreEntry[]> {
  let next = range;
  for (;;) {
    const page = await store.list(next, { limit: PAGE });
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    next = { ...range, start: [...page.at(-1)!.key, ""] };
  }
}
