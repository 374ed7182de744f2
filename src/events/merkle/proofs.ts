/**
 * Inclusion and consistency proofs of RFC 9162 (sections 2.1.3 and 2.1.4): made from any source of subtree hashes, and
 * verified with nothing but themselves.
 *
 * @module
 */
import { nodeHash, sameHash, splitPoint } from "./tree_hash.ts";

/** The hash of the subtree over the leaves from `start` (inclusive) to `end` (exclusive). */
export type SubtreeHash = (start: number, end: number) => Promise<Uint8Array>;

/**
 * The hashes beside the path from leaf `index` to the root of the tree of `size` leaves, the lowest first.
 *
 * @throws {RangeError} If the tree has no such leaf.
 */
export async function inclusionProof(
  hashOf: SubtreeHash,
  index: number,
  size: number,
): Promise<Uint8Array[]> {
  if (!isSize(index) || !isSize(size) || index >= size) {
    throw new RangeError(`A tree of ${size} leaves has no leaf ${index}`);
  }
  return await path(hashOf, index, 0, size);
}

/** Whether the leaf with this hash is at `index` in the tree of `size` leaves that has this root. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  const sides = pathSides(index, size);
  if (sides.length !== proof.length) return false;
  let hash = leaf;
  sides.forEach((side, i) => {
    const beside = proof[i]!;
    hash = side === "left" ? nodeHash(beside, hash) : nodeHash(hash, beside);
  });
  return sameHash(hash, root);
}

/**
 * What proves that the tree of `to` leaves begins with the tree of `from` leaves; empty when nothing need be proved.
 *
 * @throws {RangeError} If `from` is larger than `to`.
 */
export async function consistencyProof(
  hashOf: SubtreeHash,
  from: number,
  to: number,
): Promise<Uint8Array[]> {
  if (!isSize(from) || !isSize(to) || from > to) {
    throw new RangeError(`A tree of ${to} leaves does not begin with one of ${from}`);
  }
  return from === 0 || from === to ? [] : await subproof(hashOf, from, 0, to, true);
}

/** Whether the tree of `to` leaves begins with the tree of `from` leaves, by their roots. */
export function verifyConsistency(
  from: number,
  to: number,
  proof: readonly Uint8Array[],
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
): boolean {
  if (!isSize(from) || !isSize(to) || from > to) return false;
  if (from === to) return proof.length === 0 && sameHash(fromRoot, toRoot);
  // Every tree begins with the empty one.
  if (from === 0) return proof.length === 0;
  let place = from - 1;
  let last = to - 1;
  while (place % 2 === 1) [place, last] = [half(place), half(last)];
  const hashes = [...proof];
  // A complete subtree is its own first hash, which the proof leaves out.
  const first = place === 0 ? fromRoot : hashes.shift();
  if (!first) return false;
  let [before, after] = [first, first];
  for (const hash of hashes) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      before = nodeHash(hash, before);
      after = nodeHash(hash, after);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else after = nodeHash(after, hash);
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && sameHash(before, fromRoot) && sameHash(after, toRoot);
}

async function path(hashOf: SubtreeHash, index: number, start: number, end: number): Promise<Uint8Array[]> {
  if (end - start === 1) return [];
  const split = start + splitPoint(end - start);
  return index < split
    ? [...await path(hashOf, index, start, split), await hashOf(split, end)]
    : [...await path(hashOf, index, split, end), await hashOf(start, split)];
}

/** On which side of the path the proof's hashes stand, the lowest first. */
function pathSides(index: number, size: number): ("left" | "right")[] {
  const sides: ("left" | "right")[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const split = start + splitPoint(end - start);
    if (index < split) {
      end = split;
      sides.push("right");
    } else {
      start = split;
      sides.push("left");
    }
  }
  return sides.reverse();
}

async function subproof(
  hashOf: SubtreeHash,
  size: number,
  start: number,
  end: number,
  isWhole: boolean,
): Promise<Uint8Array[]> {
  if (size === end) return isWhole ? [] : [await hashOf(start, end)];
  const split = start + splitPoint(end - start);
  return size <= split
    ? [...await subproof(hashOf, size, start, split, isWhole), await hashOf(split, end)]
    : [...await subproof(hashOf, size, split, end, false), await hashOf(start, split)];
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function half(value: number): number {
  return Math.floor(value / 2);
}
