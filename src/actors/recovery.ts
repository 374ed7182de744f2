/**
 * Recovery: what the last process left running when it died.
 *
 * @module
 */
import type { Store } from "../events/store.ts";
import { SUPERVISOR } from "./attempt_pool.ts";
import { TransitionRefusedError } from "./errors.ts";
import type { JobProcessor } from "./job_processor.ts";

const PAGE = 200;

/**
 * Ends every attempt that no living process runs: it becomes interrupted, failed after the third time in a row, or
 * cancelled if that was asked for. Must run before the first attempt of this process begins.
 *
 * @returns How many there were.
 */
export async function recoverInterrupted(store: Store, processor: JobProcessor): Promise<number> {
  let recovered = 0;
  for (;;) {
    const page = await store.list({ prefix: ["s", "processing"] }, { limit: PAGE });
    if (page.length === 0) return recovered;
    await Promise.all(page.map(({ key }) => interrupt(processor, key[2] as string)));
    recovered += page.length;
  }
}

async function interrupt(processor: JobProcessor, id: string): Promise<void> {
  try {
    await processor.execute(id, { type: "interrupt" }, SUPERVISOR);
  } catch (error) {
    // Somebody's cancel may have come first.
    if (!(error instanceof TransitionRefusedError)) throw error;
  }
}
