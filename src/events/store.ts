/**
 * What the log needs of a key-value store: ordered keys, byte values, and an atomic commit that checks one key.
 *
 * Deno KV is one (`kv_store.ts`), memory another (`memory_store.ts`).
 *
 * @module
 */

/** Short keys, ordered part by part: strings before numbers within a part, as Deno KV orders them. */
export type StoreKey = readonly (string | number)[];

export interface StoreEntry {
  readonly key: StoreKey;
  readonly value: Uint8Array;
}

/** Keys from `start` (inclusive) to `end` (exclusive) that begin with `prefix`. */
export interface StoreRange {
  readonly prefix: StoreKey;
  readonly start?: StoreKey;
  readonly end?: StoreKey;
}

export interface Commit {
  /** The one key whose versionstamp is checked; `null` demands that the key is not there. */
  readonly check: { readonly key: StoreKey; readonly versionstamp: string | null };
  readonly puts: readonly StoreEntry[];
  readonly deletes: readonly StoreKey[];
}

/** Reads reject with `StoreUnreadableError` when the store is away. */
export interface Store {
  get(key: StoreKey): Promise<{ value: Uint8Array | null; versionstamp: string | null }>;
  /** The values in the order of the keys, `null` where there is none. Any number of keys. */
  getMany(keys: readonly StoreKey[]): Promise<(Uint8Array | null)[]>;
  list(range: StoreRange, options: { limit: number; reverse?: boolean }): Promise<StoreEntry[]>;
  /** The new versionstamp, or `null` when the check failed. When it throws, the outcome is not known. */
  commit(commit: Commit): Promise<string | null>;
  close(): void;
}

/** A key's encoded length in bytes, as Deno KV counts it towards a commit's 80 KiB. */
export function keyBytes(key: StoreKey): number {
  let bytes = 0;
  for (const part of key) bytes += typeof part === "number" ? 9 : stringBytes(part);
  return bytes;
}

/** No key like this has more; takes far less time to be told. */
export function mostKeyBytes(key: StoreKey): number {
  let bytes = 0;
  for (const part of key) bytes += typeof part === "number" ? 9 : 2 + 3 * part.length;
  return bytes;
}

/** UTF-8 between a type byte and a NUL; NULs within are escaped by a second byte. */
function stringBytes(part: string): number {
  let bytes = 2;
  for (let i = 0; i < part.length; i++) {
    const unit = part.charCodeAt(i);
    const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
    bytes += unit === 0 || isSurrogate ? 2 : unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
  }
  return bytes;
}
