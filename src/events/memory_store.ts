/**
 * The store in memory, for tests and for programs that want no file. Nothing in it survives the process.
 *
 * @module
 */
import type { Commit, Store, StoreEntry, StoreKey, StoreRange } from "./store.ts";

export class MemoryStore implements Store {
  /** Sorted by key. */
  readonly #entries: { key: StoreKey; value: Uint8Array; versionstamp: string }[] = [];
  #commits = 0;

  get(key: StoreKey): Promise<{ value: Uint8Array | null; versionstamp: string | null }> {
    const found = this.#find(key);
    return Promise.resolve({ value: found?.value ?? null, versionstamp: found?.versionstamp ?? null });
  }

  getMany(keys: readonly StoreKey[]): Promise<(Uint8Array | null)[]> {
    return Promise.resolve(keys.map((key) => this.#find(key)?.value ?? null));
  }

  list(range: StoreRange, options: { limit: number; reverse?: boolean }): Promise<StoreEntry[]> {
    const from = this.#lowerBound(range.start ?? range.prefix);
    const found: StoreEntry[] = [];
    for (let i = from; i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (range.end && compareKeys(entry.key, range.end) >= 0) break;
      if (!startsWith(entry.key, range.prefix)) break;
      found.push({ key: entry.key, value: entry.value });
      if (!options.reverse && found.length === options.limit) break;
    }
    return Promise.resolve(options.reverse ? found.reverse().slice(0, options.limit) : found);
  }

  commit(commit: Commit): Promise<string | null> {
    const current = this.#find(commit.check.key)?.versionstamp ?? null;
    if (current !== commit.check.versionstamp) return Promise.resolve(null);
    const versionstamp = String(++this.#commits).padStart(20, "0");
    for (const { key, value } of commit.puts) this.#put(key, value, versionstamp);
    for (const key of commit.deletes) this.#delete(key);
    return Promise.resolve(versionstamp);
  }

  close(): void {}

  #find(key: StoreKey) {
    const entry = this.#entries[this.#lowerBound(key)];
    return entry && compareKeys(entry.key, key) === 0 ? entry : undefined;
  }

  #put(key: StoreKey, value: Uint8Array, versionstamp: string): void {
    const at = this.#lowerBound(key);
    const there = this.#entries[at];
    const same = there !== undefined && compareKeys(there.key, key) === 0;
    this.#entries.splice(at, same ? 1 : 0, { key, value, versionstamp });
  }

  #delete(key: StoreKey): void {
    const at = this.#lowerBound(key);
    const there = this.#entries[at];
    if (there && compareKeys(there.key, key) === 0) this.#entries.splice(at, 1);
  }

  #lowerBound(key: StoreKey): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareKeys(this.#entries[middle]!.key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Deno KV's order: part by part, strings before numbers, strings by their UTF-8 bytes. */
export function compareKeys(a: StoreKey, b: StoreKey): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = compareParts(a[i]!, b[i]!);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function compareParts(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number") return 1;
  if (typeof b === "number") return -1;
  if (a === b) return 0;
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function startsWith(key: StoreKey, prefix: StoreKey): boolean {
  return prefix.length <= key.length && prefix.every((part, i) => key[i] === part);
}
