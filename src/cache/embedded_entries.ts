/**
 * How the embedded cache lays out its entries in Deno KV, and how many of them one commit can remove.
 *
 * @module
 */

/** Under `["c", key]`. `expiresAt` is milliseconds since 1970, `null` for never. */
export interface StoredEntry {
  readonly json: Uint8Array<ArrayBuffer>;
  readonly expiresAt: number | null;
}

/** An entry as it was read. */
export type Found = Deno.KvEntry<StoredEntry>;

/** Entries removed by one commit. Deno KV takes 100 checks in a commit. */
export const SLICE_ENTRIES = 100;
/** Bytes of keys in one commit. Deno KV takes 80 KiB; a key of 512 characters can fill 1.5 KiB, thrice. */
const SLICE_KEY_BYTES = 64 * 1024;

/** Adds to `commit` that the entry and its place in the index by expiry go. */
export function removeFrom(commit: Deno.AtomicOperation, key: string, expiresAt: number | null): void {
  commit.delete(entryKey(key));
  if (expiresAt !== null) commit.delete(expiryKey(expiresAt, key));
}

/** Groups entries into what one commit can remove; a group may be empty, so that looking alone is interruptible. */
export async function* slices(entries: AsyncIterable<Found | null>): AsyncGenerator<Found[]> {
  let slice: Found[] = [];
  let keyBytes = 0;
  let seen = 0;
  for await (const entry of entries) {
    const size = entry === null ? 0 : 3 * encodedLength(keyOf(entry)) + 64;
    if (seen === SLICE_ENTRIES || keyBytes + size > SLICE_KEY_BYTES) {
      yield slice;
      slice = [];
      keyBytes = 0;
      seen = 0;
    }
    if (entry !== null) slice.push(entry);
    keyBytes += size;
    seen += 1;
  }
  yield slice;
}

/** Where the entry is. */
export function entryKey(key: string): Deno.KvKey {
  return ["c", key];
}

/** Where the index by expiry names the entry; the value there means nothing. */
export function expiryKey(expiresAt: number, key: string): Deno.KvKey {
  return ["x", expiresAt, key];
}

/** The key as its owner gave it. */
export function keyOf(entry: Found): string {
  return entry.key[1] as string;
}

/** Key and value as UTF-8, without the store's own overhead. */
export function storedBytes(entry: Found): number {
  return utf8Length(keyOf(entry)) + entry.value.json.byteLength;
}

/** Deno KV escapes each NUL in a key by a second byte. */
function encodedLength(key: string): number {
  return utf8Length(key) + key.split("\0").length - 1;
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
