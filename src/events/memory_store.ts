/**
 * The store in memory, for tests and for programs that want no file. Nothing in it survives the process.
 *
 * @module
 */
import { BTree } from "@tylerbu/sorted-btree-es6";
import type { Commit, Store, StoreEntry, StoreKey, StoreRange } from "./store.ts";

/** As the last part of a bound: before, and after, any part that a key may have there. */
const FIRST_PART = "";
const AFTER_ALL_PARTS = true;

type Bound = readonly (string | number | boolean)[];

export class MemoryStore implements Store {
  readonly #entries = new BTree<Bound, { value: Uint8Array; versionstamp: string }>(undefined, compareKeys);
  #commits = 0;

  get(key: StoreKey): Promise<{ value: Uint8Array | null; versionstamp: string | null }> {
    return Promise.resolve(this.#entries.get(key) ?? { value: null, versionstamp: null });
  }

  getMany(keys: readonly StoreKey[]): Promise<(Uint8Array | null)[]> {
    return Promise.resolve(keys.map((key) => this.#entries.get(key)?.value ?? null));
  }

  list(
    range: StoreRange,
    { limit, reverse = false }: { limit: number; reverse?: boolean },
  ): Promise<StoreEntry[]> {
    const low = range.start ?? [...range.prefix, FIRST_PART];
    const high = range.end ?? [...range.prefix, AFTER_ALL_PARTS];
    const entries = reverse
      ? this.#entries.entriesReversed(high, undefined, true)
      : this.#entries.entries(low);
    const found: StoreEntry[] = [];
    for (const [key, { value }] of entries) {
      const inside = reverse ? compareKeys(key, low) >= 0 : compareKeys(key, high) < 0;
      if (!inside || found.length === limit) break;
      found.push({ key: key as StoreKey, value });
    }
    return Promise.resolve(found);
  }

  commit({ check, puts, deletes }: Commit): Promise<string | null> {
    const current = this.#entries.get(check.key)?.versionstamp ?? null;
    if (current !== check.versionstamp) return Promise.resolve(null);
    const versionstamp = String(++this.#commits).padStart(20, "0");
    for (const { key, value } of puts) this.#entries.set(key, { value, versionstamp });
    for (const key of deletes) this.#entries.delete(key);
    return Promise.resolve(versionstamp);
  }

  close(): void {}
}

/** Deno KV's order: part by part, strings before numbers before `true`, strings by their UTF-8 bytes, -0 before 0. */
export function compareKeys(a: Bound, b: Bound): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = compareParts(a[i]!, b[i]!);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function compareParts(a: Bound[number], b: Bound[number]): number {
  if (Object.is(a, b)) return 0;
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  if (typeof a === "number" && typeof b === "number") return a < b || Object.is(a, -0) && b === 0 ? -1 : 1;
  return rank(a) - rank(b);
}

function rank(part: Bound[number]): number {
  return typeof part === "string" ? 0 : typeof part === "number" ? 1 : 2;
}

/** UTF-8 keeps the order of code points; UTF-16 puts the astral ones, as surrogates, before U+E000 to U+FFFF. */
function compareStrings(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (left === right) continue;
    const [leftIsHalf, rightIsHalf] = [isSurrogate(left), isSurrogate(right)];
    if (leftIsHalf !== rightIsHalf && Math.min(left, right) >= 0xd800) return leftIsHalf ? 1 : -1;
    return left - right;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
