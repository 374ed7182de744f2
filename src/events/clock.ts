/**
 * Time, handed in: whatever waits or dates takes a clock, so that tests move it and never sleep.
 *
 * @module
 */

export interface Clock {
  /** Wall clock, milliseconds since the epoch. May jump. */
  now(): number;
  /** Milliseconds since some fixed moment; never jumps. */
  monotonic(): number;
  /** As the global one; `ms` at most 2³¹ − 1. */
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as number),
};

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimeout(resolve, ms));
}

/** Between tries to reach a store that is away. */
export const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/** The pause after one of `ms` that was too short. */
export function longerPause(ms: number): number {
  return Math.min(2 * ms, LONGEST_PAUSE_MS);
}

/** The promise's answer, or a `DeadlineError` when it takes longer. The promise itself goes on. */
export function withDeadline<T>(clock: Clock, ms: number, what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(new DeadlineError(what, ms)), ms);
    promise.then(resolve, reject).finally(() => clock.clearTimeout(timer));
  });
}

export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
  constructor(readonly what: string, readonly ms: number) {
    super(`${what} took longer than ${ms} ms`);
  }
}
