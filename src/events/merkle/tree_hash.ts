/**
 * Hashes of a Merkle tree as RFC 9162 (section 2.1) defines them, with SHA-256.
 *
 * @module
 */
import { createHash, hash } from "node:crypto";

/** Bytes of a hash. */
export const HASH_BYTES = 32;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The hash of a leaf: SHA-256 of a zero byte and the entry. */
export function leafHash(entry: Uint8Array): Uint8Array {
  return createHash("sha256").update(LEAF).update(entry).digest();
}

/** The hash of a node: SHA-256 of a one byte and both children. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return createHash("sha256").update(NODE).update(left).update(right).digest();
}

/** The root of a tree without leaves. */
export function emptyRoot(): Uint8Array {
  return hash("sha256", new Uint8Array(), "buffer");
}

/** The largest power of two below `size`, which must be at least 2: where a tree of that size is split. */
export function splitPoint(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
