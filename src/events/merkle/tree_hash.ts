/**
 * Hashes of a Merkle tree as RFC 9162 (section 2.1) defines them, with SHA-256.
 *
 * @module
 */
import { hash } from "node:crypto";

/** Bytes of a hash. */
export const HASH_BYTES = 32;

const LEAF = 0;
const NODE = 1;
const NOTHING = new Uint8Array();

/** What a tree is made of. */
export interface TreeHashes {
  /** The hash of a leaf: SHA-256 of a zero byte and the entry. */
  leaf(entry: Uint8Array): Uint8Array;
  /** The hash of a node: SHA-256 of a one byte and both children. */
  node(left: Uint8Array, right: Uint8Array): Uint8Array;
}

/** @param sha256 May not keep the bytes. */
export function treeHashes(sha256: (bytes: Uint8Array) => Uint8Array): TreeHashes {
  let room = new Uint8Array(1 + 2 * HASH_BYTES);
  const hashOf = (kind: number, first: Uint8Array, second: Uint8Array) => {
    const length = 1 + first.length + second.length;
    if (room.length < length) room = new Uint8Array(length);
    room[0] = kind;
    room.set(first, 1);
    room.set(second, 1 + first.length);
    return sha256(room.subarray(0, length));
  };
  return {
    leaf: (entry) => hashOf(LEAF, entry, NOTHING),
    node: (left, right) => hashOf(NODE, left, right),
  };
}

/** With the SHA-256 of Node's module, whose hashes come as hexadecimal digits in half the time that a `Buffer` takes. */
export const nodeCryptoHashes = treeHashes((bytes) => Uint8Array.fromHex(hash("sha256", bytes, "hex")));
export const { leaf: leafHash, node: nodeHash } = nodeCryptoHashes;

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
