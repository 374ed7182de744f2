/**
 * One step of a tree's growth, as a function: so that it can be taken on another thread.
 *
 * @module
 */
import { splitLines } from "../event_page.ts";
import type { StoreEntry } from "../store.ts";
import { GrowingTree, type TreeEdge } from "./growing_tree.ts";
import type { TreeHashes } from "./tree_hash.ts";

export interface GrowthStep {
  readonly partition: number;
  /** From where the tree grows. */
  readonly edge: TreeEdge;
  /** The entries that follow, one a line; `undefined` for none. They may change hands: who asks does not use them any more. */
  readonly lines: Uint8Array<ArrayBuffer> | undefined;
  /** Whether the root is wanted. */
  readonly root: boolean;
}

export interface GrownTree {
  readonly edge: TreeEdge;
  /** The tiles that changed. */
  readonly tiles: readonly StoreEntry[];
  /** `undefined` where it was not wanted. */
  readonly root: Uint8Array | undefined;
}

/** Takes steps, here or on another thread. */
export interface StepGrower {
  grow(step: GrowthStep): Promise<GrownTree>;
  close(): void;
}

// deno-lint-ignore require-await -- what a step throws is to reject, as on another thread.
export const growHere: StepGrower = { grow: async (step) => grownBy(step), close: () => {} };

/** @param hashes Default: Node's. */
export function grownBy({ partition, edge, lines, root }: GrowthStep, hashes?: TreeHashes): GrownTree {
  const tree = new GrowingTree(partition, edge, hashes);
  for (const entry of lines ? splitLines(lines) : []) tree.append(entry);
  return { edge: tree.edge, tiles: tree.takeChanges(), root: root ? tree.root() : undefined };
}
