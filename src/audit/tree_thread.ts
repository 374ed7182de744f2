/**
 * Grows the tree on a thread of its own, since hashing an event takes half as long as folding it.
 *
 * @module
 */
import type { StoreEntry } from "../events/store.ts";
import type { Growth, TreeGrower, TreePlan } from "./tree_growth.ts";

export type TreeOrder = { readonly plan: TreePlan } | { readonly pages: readonly StoreEntry[] };

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
      worker.postMessage({ pages } satisfies TreeOrder);
      return growth.promise;
    },
    close: () => worker.terminate(),
  };
}
