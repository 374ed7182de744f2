/**
 * Medians and percentiles.
 *
 * @module
 */
import type { Latency } from "./measurement.ts";

/** The 50th and the 99th percentile of the samples, by nearest rank. */
export function latency(samples: ArrayLike<number>): Latency {
  const sorted = Float64Array.from(samples).sort();
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

export function latencyRatio(ours: Latency, theirs: Latency): Latency {
  return { p50: ours.p50 / theirs.p50, p99: ours.p99 / theirs.p99 };
}

/** The item in the middle by `by`: its figures belong together, as those of separate medians would not. */
export function middle<T>(items: readonly T[], by: (item: T) => number): T {
  const sorted = items.toSorted((a, b) => by(a) - by(b));
  const found = sorted[sorted.length >> 1];
  if (found === undefined) throw new RangeError("There is no middle of nothing");
  return found;
}
