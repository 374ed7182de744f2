/**
 * The tree that pages of events make, as far as a check wants to compare it: its tiles, and its roots at some sizes.
 *
 * @module
 */
import { fromPage } from "../events/event_page.ts";
import { GrowingTree } from "../events/merkle/growing_tree.ts";
import { TILE_WIDTH } from "../events/merkle/tiles.ts";
import { HASH_BYTES } from "../events/merkle/tree_hash.ts";
import type { StoreEntry } from "../events/store.ts";

/** What is wanted of the tree. */
export interface TreePlan {
  /** Sizes whose roots are wanted, ascending. */
  readonly roots: readonly number[];
  /** The size up to which tiles are wanted. */
  readonly tiles: number;
}

export interface Growth {
  /** Those that became full, and at the size up to which they are wanted also those that are not. */
  readonly tiles: readonly StoreEntry[];
  readonly roots: readonly (readonly [size: number, root: Uint8Array])[];
}

/** Grows a tree, on this thread or another. */
export interface TreeGrower {
  /** @param pages Those that follow, as they are stored. */
  grow(pages: readonly StoreEntry[]): Promise<Growth>;
  close(): void;
}

const FULL = TILE_WIDTH * HASH_BYTES;

export class TreeGrowth {
  readonly #tree = GrowingTree.empty(0);
  readonly #plan: TreePlan;
  #nextRoot = 0;
  #hasTiles = false;

  constructor(plan: TreePlan) {
    this.#plan = plan;
  }

  append(entries: Iterable<Uint8Array>): Growth {
    const tiles: StoreEntry[] = [];
    const roots: [number, Uint8Array][] = [];
    this.#take(tiles, roots);
    for (const entry of entries) {
      this.#tree.append(entry);
      this.#take(tiles, roots);
    }
    const full = this.#tree.takeChanges().filter(({ value }) => value.length === FULL);
    if (this.#tree.size < this.#plan.tiles) tiles.push(...full);
    return { tiles, roots };
  }

  /** What is wanted at this very size. */
  #take(tiles: StoreEntry[], roots: [number, Uint8Array][]): void {
    const { size } = this.#tree;
    while (this.#plan.roots[this.#nextRoot] === size) {
      roots.push([size, this.#tree.root()]);
      this.#nextRoot += 1;
    }
    if (size === this.#plan.tiles && !this.#hasTiles) {
      this.#hasTiles = true;
      tiles.push(...this.#tree.takeChanges());
    }
  }
}

/** Grows the tree on this thread. */
export function treeHere(plan: TreePlan): TreeGrower {
  const growth = new TreeGrowth(plan);
  return {
    grow: (pages) => Promise.resolve(growth.append(pages.flatMap((page) => fromPage(page).events))),
    close: () => {},
  };
}
