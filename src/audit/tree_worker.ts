/**
 * The inside of the thread that grows a tree.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { TreeGrowth } from "./tree_growth.ts";
import { type TreeOrder, unpack } from "./tree_thread.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
let growth: TreeGrowth;

scope.onmessage = ({ data }: MessageEvent<TreeOrder>) => {
  if ("plan" in data) growth = new TreeGrowth(data.plan);
  else scope.postMessage(growth.append(unpack(data)));
};
