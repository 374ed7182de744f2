/**
 * The hashes of any part of a stored tree, for proofs.
 *
 * @module
 */
import type { Store } from "../store.ts";
import type { SubtreeHash } from "./proofs.ts";
import { hashWithin, leavesPerHash, TILE_WIDTH, tileKey } from "./tiles.ts";
import { emptyRoot, HASH_BYTES, nodeHash, splitPoint } from "./tree_hash.ts";

/** Answers from the tiles in the store; each is read once. @throws {Error} If a tile that is needed is not there. */
export function storedHashes(store: Store, partition: number): SubtreeHash {
  const tiles = new Map<string, Promise<Uint8Array>>();

  return hashOf;

  async function hashOf(start: number, end: number): Promise<Uint8Array> {
    const leaves = end - start;
    if (leaves === 0) return emptyRoot();
    const level = completeLevel(leaves, start);
    if (level === undefined) {
      const split = start + splitPoint(leaves);
      const [left, right] = await Promise.all([hashOf(start, split), hashOf(split, end)]);
      return nodeHash(left, right);
    }
    const each = leavesPerHash(level);
    const first = start / each;
    const bytes = await tile(level, Math.floor(first / TILE_WIDTH), (end / each - 1) % TILE_WIDTH + 1);
    return hashWithin(bytes, first % TILE_WIDTH, leaves / each);
  }

  /** The tile, which must hold at least so many hashes. */
  async function tile(level: number, index: number, hashes: number): Promise<Uint8Array> {
    const name = `${level}/${index}`;
    const reading = tiles.get(name) ??
      store.get(tileKey(partition, level, index)).then(({ value }) => value ?? new Uint8Array());
    tiles.set(name, reading);
    const bytes = await reading;
    if (bytes.length < hashes * HASH_BYTES) {
      throw new Error(
        `The tree's tile ${index} of level ${level} has ${bytes.length / HASH_BYTES} hashes of ${hashes}`,
      );
    }
    return bytes;
  }
}

/** The level whose tiles hold this subtree in one piece, if it is complete. */
function completeLevel(leaves: number, start: number): number | undefined {
  let width = 1;
  for (let level = 0;; level++) {
    for (let inTile = 1; inTile < TILE_WIDTH; inTile *= 2, width *= 2) {
      if (width === leaves) return start % leaves === 0 ? level : undefined;
      if (width > leaves) return undefined;
    }
  }
}
