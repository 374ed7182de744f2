/**
 * Goes through all keys of the store in order, and shows each to the view that it belongs to.
 *
 * @module
 */
import type { StoreKey, StoreRange } from "../events/store.ts";
import { type ComparedStore, pagesOf } from "./compared_store.ts";
import type { View } from "./view.ts";

export interface ScanOptions {
  readonly views: readonly View[];
  /** Has every key that none of them has. */
  readonly rest: View;
  /** First parts of keys that are passed over. */
  readonly passedOver: ReadonlySet<string>;
  /** Told of so many entries more. */
  readonly onEntries: (count: number) => void;
}

export async function scan(store: ComparedStore, options: ScanOptions): Promise<void> {
  const { views, rest, passedOver, onEntries } = options;
  const byPrefix = new Map(views.flatMap((view) => view.prefixes.map((prefix) => [prefix, view])));
  for await (const { name, range } of firstParts(store)) {
    if (passedOver.has(name)) continue;
    const view = byPrefix.get(name) ?? rest;
    const count = await store.count(range);
    if (count !== view.found(name)) {
      for await (const page of pagesOf(store, range)) {
        for (const entry of page) await view.check(entry);
      }
    }
    onEntries(count);
  }
  for (const view of [...views, rest]) await view.finish();
}

/** The first parts that keys have, each with the range of those keys; numbers follow all strings, as one part. */
async function* firstParts(store: ComparedStore): AsyncGenerator<{ name: string; range: StoreRange }> {
  let start: StoreKey = [""];
  for (;;) {
    const [entry] = await store.list({ prefix: [], start }, { limit: 1 });
    if (!entry) return;
    const name = entry.key[0]!;
    if (typeof name === "number") {
      return yield { name: "a number", range: { prefix: [], start: [-Infinity] } };
    }
    const end = [`${name}\0`];
    yield { name, range: { prefix: [], start: [name], end } };
    start = end;
  }
}
