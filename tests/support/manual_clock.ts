/**
 * A clock that tests move by hand, so that hours pass in no time and nothing ever sleeps.
 *
 * Timers follow the monotonic clock, as real ones do: `jump` moves the wall clock only and fires nothing.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Clock } from "../../src/events/clock.ts";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Turns of the event loop that `settle` lets go by: more than any chain of promises and immediates in memory needs. */
const TURNS = 16;
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export class ManualClock implements Clock {
  #wall: number;
  #monotonic = 0;
  /** In the order in which they were set. */
  readonly #timers = new Set<Timer>();

  /** @param start The wall clock at first: milliseconds since the epoch, or an ISO 8601 time. */
  constructor(start: number | string = "2026-01-07T10:15:00.000Z") {
    this.#wall = typeof start === "number" ? start : Date.parse(start);
  }

  now(): number {
    return this.#wall;
  }

  /** Milliseconds since this clock was made, by `advance` and `advanceAsync`. */
  monotonic(): number {
    return this.#monotonic;
  }

  /** @throws {RangeError} If `ms` is more than 2³¹ − 1, with which the real one would fire at once. */
  setTimeout(callback: () => void, ms: number): unknown {
    if (!(ms <= LONGEST_TIMEOUT_MS)) throw new RangeError(`A timer cannot wait ${ms} ms`);
    const timer = { due: this.#monotonic + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as Timer);
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer is due; `undefined` when none is set. */
  get untilNext(): number | undefined {
    const next = this.#next();
    return next && next.due - this.#monotonic;
  }

  /** Moves both clocks and runs the timers that come due, in order; what they set in turn runs as well. */
  advance(ms: number): void {
    const end = this.#monotonic + ms;
    while (this.#runNext(end));
    this.#moveTo(end);
  }

  /** As `advance`, and lets asynchronous code run before, between and after the timers. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    do await settle(); while (this.#runNext(end));
    this.#moveTo(end);
    await settle();
  }

  /** Sets the wall clock forward or, with a negative number, back. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (!next || timer.due < next.due) next = timer;
    return next;
  }

  #runNext(end: number): boolean {
    const timer = this.#next();
    if (!timer || timer.due > end) return false;
    this.#timers.delete(timer);
    this.#moveTo(timer.due);
    timer.callback();
    return true;
  }

  #moveTo(monotonic: number): void {
    if (monotonic <= this.#monotonic) return;
    this.#wall += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}

/** Lets everything run that waits for nothing but promises, microtasks and immediates: no timer, no disk, no network. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
