/**
 * The inside of the thread that grows a tree.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { splitLines } from "../events/event_page.ts";
import { TreeGrowth } from "./tree_growth.ts";
import type { TreeOrder } from "./tree_thread.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
let growth: TreeGrowth;

scope.onmessage = ({ data }: MessageEvent<TreeOrder>) => {
  if ("plan" in data) growth = new TreeGrowth(data.plan);
  else scope.postMessage(growth.append(data.lines ? splitLines(data.lines) : []));
};
