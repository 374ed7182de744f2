/**
 * Grows trees on a thread of its own, since hashing an event takes as long as a third of its job's creation.
 *
 * The thread is started by the first step that is worth it: a system that does little has none, and so much more memory. If it
 * breaks down, may not read its module or was ended, the steps that follow are taken on the caller's thread.
 *
 * @module
 */
import { growHere, type GrownTree, type GrowthStep, type TreeGrower } from "./tree_grower.ts";

/** Some 300 events. */
const WORTH_A_THREAD = 128 * 1024;

export function treeThread(): TreeGrower {
  let worker: Worker | undefined;
  let isOver = false;
  /** Who waits, in the order of the answers. */
  const waiting: PromiseWithResolvers<GrownTree>[] = [];

  const start = () => {
    const started = new Worker(new URL("./tree_worker.ts", import.meta.url), { type: "module" });
    started.onmessage = ({ data }: MessageEvent<GrownTree>) => waiting.shift()?.resolve(data);
    started.onerror = (event) => {
      event.preventDefault();
      end(new Error(`The tree could not be grown: ${event.message}`));
    };
    return started;
  };
  const end = (why: Error) => {
    isOver = true;
    worker?.terminate();
    worker = undefined;
    for (const { reject } of waiting.splice(0)) reject(why);
  };
  return {
    grow: (step: GrowthStep) => {
      const bytes = step.lines?.length ?? 0;
      if (isOver || (!worker && bytes < WORTH_A_THREAD)) return growHere.grow(step);
      worker ??= start();
      const grown = Promise.withResolvers<GrownTree>();
      waiting.push(grown);
      worker.postMessage(step, step.lines ? [step.lines.buffer] : []);
      return grown.promise;
    },
    close: () => end(new Error("The thread that grows the tree was ended")),
  };
}
