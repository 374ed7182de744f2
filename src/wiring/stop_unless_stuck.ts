/**
 * A stop that ends although the log takes no writes.
 *
 * @module
 */
import { type Clock, sleep, systemClock } from "../events/clock.ts";
import type { LogHealth } from "../events/append.ts";

/** Longer than a stop of a log that takes writes: 5 seconds for the handlers and 5 more for their signals. */
const PATIENCE_MS = 15_000;
const BETWEEN_LOOKS_MS = 1_000;

export interface StuckOptions {
  readonly log: { readonly health: LogHealth };
  /** Resolves when whoever stops the process wishes it to wait no longer. */
  readonly hurried: Promise<void>;
  readonly clock?: Clock;
}

/**
 * Answers once `stopped` has resolved, or with the reason once nothing can come of waiting: the log takes no writes, and
 * 15 seconds have gone by or the stop was hurried. Nothing acknowledged is lost by ending then; what was running runs
 * again.
 */
export async function stopUnlessStuck(
  stopped: Promise<void>,
  { log, hurried, clock = systemClock }: StuckOptions,
): Promise<{ stuck: string | undefined }> {
  let look = Promise.race([sleep(clock, PATIENCE_MS), hurried]);
  for (;;) {
    const ended = await Promise.race([stopped.then(() => true), look.then(() => false)]);
    if (ended) return { stuck: undefined };
    if (!log.health.ok) return { stuck: log.health.why };
    look = sleep(clock, BETWEEN_LOOKS_MS);
  }
}
