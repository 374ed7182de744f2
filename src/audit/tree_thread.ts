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
  worker.postMessage({ plan } satisfies TreeOrder);
  return {
    grow: (pages) =>
      new Promise<Growth>((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<Growth>) => resolve(data);
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(`The tree could not be grown: ${event.message}`));
        };
        worker.postMessage({ pages } satisfies TreeOrder);
      }),
    close: () => worker.terminate(),
  };
}
