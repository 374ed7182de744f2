/**
 * UUIDv7 ids (RFC 9562, section 5.7), monotonic in the process, so that ids sort by creation and keys stay in order.
 *
 * @module
 */
import { v7 } from "uuid";

const MAX_SEQUENCE = 0xffff_ffff;
const RANDOM_BYTES = 16;
/** Drawn so many at a time: a draw costs more than the rest of an id. */
const DRAWN_AT_ONCE = 256;

/** Ids that grow even when the clock stands still or jumps back. */
export function monotonicIds(now: () => number): () => string {
  let msecs = 0;
  let seq = 0;
  const drawn = new Uint8Array(RANDOM_BYTES * DRAWN_AT_ONCE);
  let used = drawn.length;
  const random = () => {
    if (used === drawn.length) {
      crypto.getRandomValues(drawn);
      used = 0;
    }
    return drawn.subarray(used, used += RANDOM_BYTES);
  };
  return () => {
    const time = now();
    if (time > msecs) {
      msecs = time;
      seq = 0;
    } else if (seq === MAX_SEQUENCE) {
      msecs += 1;
      seq = 0;
    } else seq += 1;
    return v7({ msecs, seq, random: random() });
  };
}

/** The smallest id of this millisecond, as a bound for ranges of ids. */
export function firstIdAt(ms: number): string {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
