/**
 * Says so when the clock is behind the log.
 *
 * No event is of an earlier time than the one before it, so after a clock that was ahead has been set right, time stands
 * still in the log until the clock has caught up.
 *
 * @module
 */
import { type Clock, systemClock } from "../events/clock.ts";

const BETWEEN_LOOKS_MS = 60_000;
/** Clocks that are kept in step are moved by less. */
const WORTH_TELLING_MS = 60_000;

export interface ClockWatchOptions {
  readonly log: { readonly time: number };
  /** Told by how many milliseconds the clock is behind, once, and when it no longer is. */
  readonly onBehind: (ms: number) => void;
  readonly onCaughtUp: () => void;
  readonly clock?: Clock;
}

/** Looks at once and then every minute; answers a function that ends it. */
export function watchClock(options: ClockWatchOptions): () => void {
  const { log, onBehind, onCaughtUp, clock = systemClock } = options;
  let told = false;
  let timer: unknown;
  const look = () => {
    const behind = log.time - clock.now();
    if (behind > WORTH_TELLING_MS && !told) {
      told = true;
      onBehind(behind);
    } else if (behind <= 0 && told) {
      told = false;
      onCaughtUp();
    }
    timer = clock.setTimeout(look, BETWEEN_LOOKS_MS);
  };
  look();
  return () => clock.clearTimeout(timer);
}
