/**
 * A tree that leaves are appended to: the last tile of each level, and which tiles a batch of leaves changed.
 *
 * @module
 */
import type { Store, StoreEntry } from "../store.ts";
import { hashWithin, leavesPerHash, TILE_WIDTH, tileKey } from "./tiles.ts";
import { emptyRoot, HASH_BYTES, nodeHash } from "./tree_hash.ts";

export class GrowingTree {
  readonly #partition: number;
  #size: number;
  /** The last tile of each level, which may be full or empty, lowest level first. */
  readonly #last: Tile[];
  readonly #changed = new Map<string, StoreEntry>();

  private constructor(partition: number, size: number, last: Tile[]) {
    this.#partition = partition;
    this.#size = size;
    this.#last = last;
  }

  static empty(partition: number): GrowingTree {
    return new GrowingTree(partition, 0, []);
  }

  /** Reads the last tile of each level of the tree of `size` leaves. */
  static async load(store: Store, partition: number, size: number): Promise<GrowingTree> {
    const last: Tile[] = [];
    for (let level = 0; leavesPerHash(level) <= size; level++) {
      const hashes = Math.floor(size / leavesPerHash(level));
      const index = Math.floor(hashes / TILE_WIDTH);
      const { value } = await store.get(tileKey(partition, level, index));
      const count = hashes % TILE_WIDTH;
      if (count > 0 && (value?.length ?? 0) < count * HASH_BYTES) {
        throw new Error(`The tree of ${size} leaves lacks tile ${index} of level ${level}`);
      }
      last.push(new Tile(index, value?.subarray(0, count * HASH_BYTES) ?? new Uint8Array()));
    }
    return new GrowingTree(partition, size, last);
  }

  /** Number of leaves. */
  get size(): number {
    return this.#size;
  }

  append(leafHash: Uint8Array): void {
    this.#size += 1;
    this.#push(0, leafHash);
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
        const left = hashWithin(bytes, from, width);
        root = root ? nodeHash(left, root) : left;
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
    this.#push(level + 1, hashWithin(tile.bytes, 0, TILE_WIDTH));
  }

  #note(level: number, tile: Tile): void {
    const key = tileKey(this.#partition, level, tile.index);
    this.#changed.set(`${level}/${tile.index}`, { key, value: tile.bytes.slice(0, tile.count * HASH_BYTES) });
  }
}

class Tile {
  readonly bytes = new Uint8Array(TILE_WIDTH * HASH_BYTES);
  count: number;

  constructor(readonly index: number, hashes: Uint8Array = new Uint8Array()) {
    this.bytes.set(hashes);
    this.count = hashes.length / HASH_BYTES;
  }

  push(hash: Uint8Array): void {
    this.bytes.set(hash, this.count * HASH_BYTES);
    this.count += 1;
  }
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
