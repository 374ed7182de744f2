/**
 * Grows trees on a thread of its own, since hashing an event takes as long as a third of its job's creation.
 *
 * The thread is started by the first step that is worth it: a system that does little has none, and so much more memory. If it
 * breaks down, may not read its module or was ended, the steps that follow are taken on the caller's thread.
 *
 * @module
 */
import { AnsweringWorker } from "../answering_worker.ts";
import { growHere, type GrownTree, type GrowthStep, type StepGrower } from "./growth_step.ts";

/** Some 300 events. */
const WORTH_A_THREAD = 128 * 1024;
const MODULE = new URL("./growing_worker.ts", import.meta.url);

export function growingThread(): StepGrower {
  let thread: AnsweringWorker<GrowthStep, GrownTree> | undefined;
  let isClosed = false;
  return {
    grow: (step) => {
      const { lines } = step;
      const isWorthIt = thread !== undefined || (lines?.length ?? 0) >= WORTH_A_THREAD;
      if (isClosed || thread?.isOver || !isWorthIt) return growHere.grow(step);
      thread ??= new AnsweringWorker(MODULE, "The tree could not be grown");
      return thread.ask(step, lines ? [lines.buffer] : []);
    },
    close: () => {
      isClosed = true;
      thread?.close();
    },
  };
}
