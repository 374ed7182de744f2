/**
 * Grows the tree on a thread of its own, since hashing an event takes half as long as folding it.
 *
 * @module
 */
import type { StoreEntry, StoreKey } from "../events/store.ts";
import type { Growth, TreeGrower, TreePlan } from "./tree_growth.ts";

export type TreeOrder = { readonly plan: TreePlan } | PackedPages;

/** Pages end to end in one buffer, which changes hands: to copy them one by one costs several times as much. */
export interface PackedPages {
  readonly keys: readonly StoreKey[];
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function treeThread(plan: TreePlan): TreeGrower {
  const worker = new Worker(new URL("./tree_worker.ts", import.meta.url).href, { type: "module" });
  /** Who waits, in the order of the answers. */
  const waiting: PromiseWithResolvers<Growth>[] = [];
  worker.onmessage = ({ data }: MessageEvent<Growth>) => waiting.shift()?.resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    const error = new Error(`The tree could not be grown: ${event.message}`);
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  worker.postMessage({ plan } satisfies TreeOrder);
  return {
    grow: (pages) => {
      const growth = Promise.withResolvers<Growth>();
      waiting.push(growth);
      const packed = pack(pages);
      worker.postMessage(packed, [packed.bytes.buffer]);
      return growth.promise;
    },
    close: () => worker.terminate(),
  };
}

function pack(pages: readonly StoreEntry[]): PackedPages {
  const lengths = pages.map(({ value }) => value.length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const { value } of pages) {
    bytes.set(value, at);
    at += value.length;
  }
  return { keys: pages.map(({ key }) => key), lengths, bytes };
}

export function unpack({ keys, lengths, bytes }: PackedPages): StoreEntry[] {
  let at = 0;
  return keys.map((key, i) => ({ key, value: bytes.subarray(at, at += lengths[i]!) }));
}
