/**
 * Tiles: how a Merkle tree lies in the store, as in C2SP `tlog-tiles`.
 *
 * A tile of level L holds up to 256 hashes side by side: each is the hash of a complete subtree of 256^L leaves. So a
 * tree grows by rewriting its last tile of each level, and a proof reads a handful of tiles however large the tree is.
 *
 * @see {@link https://c2sp.org/tlog-tiles}
 * @module
 */
import type { StoreKey } from "../store.ts";
import { HASH_BYTES, nodeHash, splitPoint } from "./tree_hash.ts";

/** Hashes in a full tile. */
export const TILE_WIDTH = 256;

/** First part of the tiles' keys: the first of all, since tiles are large, see `EVENTS`. */
export const TILES = "00t";

export function tileKey(partition: number, level: number, index: number): StoreKey {
  return [TILES, partition, level, index];
}

/** Leaves under one hash of a tile of this level. */
export function leavesPerHash(level: number): number {
  return TILE_WIDTH ** level;
}

/** The hash of the `count` hashes of a tile from its `from`-th on; together they are a subtree. */
export function hashWithin(tile: Uint8Array, from: number, count: number, node = nodeHash): Uint8Array {
  if (count === 1) return tile.subarray(from * HASH_BYTES, (from + 1) * HASH_BYTES);
  const split = splitPoint(count);
  return node(hashWithin(tile, from, split, node), hashWithin(tile, from + split, count - split, node));
}
