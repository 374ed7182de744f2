/**
 * A tree that leaves are appended to: the last tile of each level, and which tiles a batch of leaves changed.
 *
 * @module
 */
import type { Store, StoreEntry } from "../store.ts";
import { hashWithin, leavesPerHash, TILE_WIDTH, tileKey } from "./tiles.ts";
import { emptyRoot, HASH_BYTES, nodeCryptoHashes, type TreeHashes } from "./tree_hash.ts";

/** What of a tree is not complete, from which it grows on. */
export interface TreeEdge {
  /** Number of leaves. */
  readonly size: number;
  /** The hashes in the last tile of each level, lowest level first; there may be none in it. */
  readonly tiles: readonly Uint8Array[];
}

export class GrowingTree {
  readonly #partition: number;
  readonly #hashes: TreeHashes;
  #size: number;
  /** The last tile of each level, which may be full or empty, lowest level first. */
  readonly #last: Tile[];
  readonly #changed = new Map<string, StoreEntry>();

  constructor(partition: number, { size, tiles }: TreeEdge, hashes: TreeHashes = nodeCryptoHashes) {
    this.#partition = partition;
    this.#hashes = hashes;
    this.#size = size;
    this.#last = tiles.map((tile, level) => new Tile(Math.floor(size / leavesPerHash(level + 1)), tile));
  }

  static empty(partition: number): GrowingTree {
    return new GrowingTree(partition, { size: 0, tiles: [] });
  }

  /** Number of leaves. */
  get size(): number {
    return this.#size;
  }

  /** From which an equal tree can be made. */
  get edge(): TreeEdge {
    return { size: this.#size, tiles: this.#last.map((tile) => tile.hashes) };
  }

  append(entry: Uint8Array): void {
    this.#size += 1;
    this.#push(0, this.#hashes.leaf(entry));
  }

  /** The entries that the leaves appended since the last call changed. */
  takeChanges(): StoreEntry[] {
    for (const [level, tile] of this.#last.entries()) if (tile.count > 0) this.#note(level, tile);
    const changed = [...this.#changed.values()];
    this.#changed.clear();
    return changed;
  }

  root(): Uint8Array {
    let root: Uint8Array | undefined;
    for (const { bytes, count } of this.#last) {
      if (count === 0) continue;
      // From the right: what a level holds stands left of all that is below it.
      for (const [from, width] of powersOfTwo(count).reverse()) {
        const left = hashWithin(bytes, from, width, this.#hashes.node);
        root = root ? this.#hashes.node(left, root) : left;
      }
    }
    return root ?? emptyRoot();
  }

  #push(level: number, hash: Uint8Array): void {
    const tile = this.#last[level] ??= new Tile(0);
    tile.push(hash);
    if (tile.count < TILE_WIDTH) return;
    this.#note(level, tile);
    this.#last[level] = new Tile(tile.index + 1);
    this.#push(level + 1, hashWithin(tile.bytes, 0, TILE_WIDTH, this.#hashes.node));
  }

  #note(level: number, tile: Tile): void {
    const key = tileKey(this.#partition, level, tile.index);
    this.#changed.set(`${level}/${tile.index}`, { key, value: tile.hashes });
  }
}

class Tile {
  readonly bytes = new Uint8Array(TILE_WIDTH * HASH_BYTES);
  count: number;

  constructor(readonly index: number, hashes: Uint8Array = new Uint8Array()) {
    this.bytes.set(hashes);
    this.count = hashes.length / HASH_BYTES;
  }

  get hashes(): Uint8Array {
    return this.bytes.slice(0, this.count * HASH_BYTES);
  }

  push(hash: Uint8Array): void {
    this.bytes.set(hash, this.count * HASH_BYTES);
    this.count += 1;
  }
}

/** Reads from the store what the tree of `size` leaves grows on from. */
export async function readEdge(store: Store, partition: number, size: number): Promise<TreeEdge> {
  const tiles: Uint8Array[] = [];
  for (let level = 0; leavesPerHash(level) <= size; level++) {
    const hashes = Math.floor(size / leavesPerHash(level));
    const index = Math.floor(hashes / TILE_WIDTH);
    const { value } = await store.get(tileKey(partition, level, index));
    const length = hashes % TILE_WIDTH * HASH_BYTES;
    if (length > (value?.length ?? 0)) {
      throw new Error(`The tree of ${size} leaves lacks tile ${index} of level ${level}`);
    }
    tiles.push(value?.subarray(0, length) ?? new Uint8Array());
  }
  return { size, tiles };
}

/** The complete subtrees that make up `count` hashes, from the left: where each begins and how wide it is. */
function powersOfTwo(count: number): [from: number, width: number][] {
  const parts: [number, number][] = [];
  let from = 0;
  for (let width = TILE_WIDTH; width >= 1; width /= 2) {
    if (count - from < width) continue;
    parts.push([from, width]);
    from += width;
  }
  return parts;
}
