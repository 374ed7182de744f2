/**
 * Grows the tree on a thread of its own, since hashing an event takes half as long as folding it.
 *
 * @module
 */
import { AnsweringWorker } from "../events/answering_worker.ts";
import { joinLines } from "../events/event_page.ts";
import type { Growth, TreeGrower, TreePlan } from "./tree_growth.ts";

/** `lines` are the events of pages that follow, in one buffer, which changes hands; `undefined` for none. */
export type TreeOrder = { readonly plan: TreePlan } | { readonly lines: Uint8Array<ArrayBuffer> | undefined };

export function treeThread(plan: TreePlan): TreeGrower {
  const url = new URL("./tree_worker.ts", import.meta.url);
  const thread = new AnsweringWorker<TreeOrder, Growth>(url, "The tree could not be grown");
  thread.tell({ plan });
  return {
    grow: (pages) => {
      const lines = pages.length > 0 ? joinLines(pages.map(({ value }) => value)) : undefined;
      return thread.ask({ lines }, lines ? [lines.buffer] : []);
    },
    close: () => thread.close(),
  };
}
