/**
 * Many deadlines on one timer.
 *
 * Nearly all are called off long before they are due, and a timer for each would cost more than most of what it watches.
 * So setting and clearing touch a map, and the timer is set anew only for a deadline before all others.
 *
 * @module
 */
import type { Clock } from "./clock.ts";
import { TransientMap } from "./transient_map.ts";

export class Deadlines {
  readonly #clock: Clock;
  /** When each is due, by the monotonic clock. */
  readonly #due = new TransientMap<() => void, number>();
  #timer: unknown;
  #timerAt = Infinity;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `fire` in `ms`, at most 2³¹ − 1, unless it is cleared before. */
  set(fire: () => void, ms: number): void {
    const now = this.#clock.monotonic();
    this.#due.set(fire, now + ms);
    if (now + ms < this.#timerAt) this.#setTimer(now, now + ms);
  }

  clear(fire: () => void): void {
    this.#due.delete(fire);
    if (this.#closed && this.#due.size === 0) this.#clearTimer();
  }

  /** What is set still fires, but no timer is left behind once there is nothing. */
  close(): void {
    this.#closed = true;
    if (this.#due.size === 0) this.#clearTimer();
  }

  #fire(): void {
    this.#timerAt = Infinity;
    const now = this.#clock.monotonic();
    for (const [fire, at] of this.#due.entries()) {
      // What fires before it may have cleared it, or set it anew.
      if (at > now || this.#due.get(fire) !== at) continue;
      this.#due.delete(fire);
      try {
        fire();
      } catch (error) {
        // Not these deadlines' to handle, and no reason to keep the others from firing.
        reportError(error);
      }
    }
    const next = Math.min(...this.#due.entries().map(([, at]) => at));
    if (next < this.#timerAt) this.#setTimer(now, next);
  }

  #setTimer(now: number, at: number): void {
    this.#clearTimer();
    this.#timerAt = at;
    this.#timer = this.#clock.setTimeout(() => this.#fire(), Math.max(0, at - now));
  }

  #clearTimer(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timerAt = Infinity;
  }
}
