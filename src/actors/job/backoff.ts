/**
 * Backoff: how long a failed job waits.
 *
 * @module
 */
import type { Backoff } from "./job.ts";

/**
 * Delay before the next attempt, in milliseconds.
 *
 * `base_seconds · factor^retryCount`, at most `max_seconds`: 120, 240, 480 s with the defaults. With `jitter` the delay
 * is lengthened or shortened by up to that share of itself, and still at most `max_seconds`.
 *
 * @param retryCount Retries already made, an integer >= 0.
 * @param random A draw from [0, 1).
 * @throws {RangeError} If `retryCount` is negative or no integer.
 */
export function backoffDelayMs(backoff: Backoff, retryCount: number, random: number): number {
  if (!Number.isInteger(retryCount) || retryCount < 0) {
    throw new RangeError(`retryCount is ${retryCount}, not an integer >= 0`);
  }
  const exact = Math.min(backoff.base_seconds * backoff.factor ** retryCount, backoff.max_seconds);
  const jittered = exact * (1 + backoff.jitter * (2 * random - 1));
  return Math.round(Math.min(jittered, backoff.max_seconds) * 1000);
}
