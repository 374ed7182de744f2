/**
 * Recovery: what the last process left running when it died.
 *
 * @module
 */
import { SUPERVISOR } from "./attempt_pool.ts";
import { TransitionRefusedError } from "./errors.ts";
import type { RunningJobs } from "./job/running.ts";
import type { JobProcessor } from "./job_processor.ts";

/**
 * Ends every attempt that no living process runs: it becomes interrupted, failed after the third time in a row, or
 * cancelled if that was asked for. Must run before the first attempt of this process begins.
 *
 * @returns How many there were.
 */
export async function recoverInterrupted(running: RunningJobs, processor: JobProcessor): Promise<number> {
  const ids = [...running.ids];
  await Promise.all(ids.map((id) => interrupt(processor, id)));
  return ids.length;
}

async function interrupt(processor: JobProcessor, id: string): Promise<void> {
  try {
    await processor.execute(id, { type: "interrupt" }, SUPERVISOR);
  } catch (error) {
    // Somebody's cancel may have come first.
    if (!(error instanceof TransitionRefusedError)) throw error;
  }
}
