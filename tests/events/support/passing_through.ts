/**
 * How many of 20,000 values that pass through a map, 100 at a time, have come into V8's old generation although they were
 * deleted before. Writes `{map, transient}`, for a `Map` and a {@linkcode TransientMap}, to stdout.
 *
 * @module
 */
import { getHeapSpaceStatistics } from "node:v8";
import { TransientMap } from "../../../src/events/transient_map.ts";

const VALUES = 20_000;
const AT_ONCE = 100;
const VALUE_BYTES = 1_000;

interface AnyMap {
  set(key: number, value: unknown): void;
  delete(key: number): boolean;
}

function kept(map: AnyMap): number {
  collect("major");
  const before = oldBytes();
  for (let i = 0; i < VALUES; i++) {
    map.set(i, new Array(VALUE_BYTES / 8).fill(i));
    map.delete(i - AT_ONCE);
    if (i % 1_000 === 0) collect("minor");
  }
  return Math.round((oldBytes() - before) / VALUE_BYTES);
}

function collect(type: "minor" | "major"): void {
  (globalThis as unknown as { gc: (options: { type: string }) => void }).gc({ type });
}

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")!.space_used_size;
}

console.log(JSON.stringify({ map: kept(new Map()), transient: kept(new TransientMap()) }));
