/**
 * Checks the log's events against everything that seals them: the tree's tiles, each checkpoint, and checkpoints that
 * were kept elsewhere.
 *
 * @module
 */
import type { Head } from "../events/head.ts";
import { isCheckpointBy } from "../events/merkle/checkpoint.ts";
import type { NoteVerifier } from "../events/merkle/signed_note.ts";
import { leavesPerHash, TILE_WIDTH, TILES } from "../events/merkle/tiles.ts";
import { HASH_BYTES } from "../events/merkle/tree_hash.ts";
import type { StoreEntry } from "../events/store.ts";
import type { ComparedStore } from "./compared_store.ts";
import type { Findings } from "./findings.ts";
import { sameBytes } from "./same_value.ts";
import type { Seal, Sealing } from "./sealing.ts";
import type { Growth, TreeGrower, TreePlan } from "./tree_growth.ts";

export interface TreeCheckOptions {
  readonly store: ComparedStore;
  readonly head: Head;
  readonly sealing: Sealing;
  /** Kept elsewhere. */
  readonly outside: readonly Seal[];
  readonly grower: (plan: TreePlan) => TreeGrower;
  readonly findings: Findings;
}

/** Reads that are hashed at once: a few, so that neither thread waits for the other. */
const MOST_GROWING = 4;

export class TreeCheck {
  readonly #options: TreeCheckOptions;
  readonly #grower: TreeGrower;
  readonly #roots = new Map<number, Uint8Array>();
  /** Pages that are being hashed while the events of others are folded, the oldest first. */
  readonly #growing: Promise<Growth>[] = [];
  /** Lowest position whose hash is not the tree's. */
  #differs = Infinity;

  constructor(options: TreeCheckOptions) {
    this.#options = options;
    const { head, sealing, outside, grower } = options;
    const sizes = new Set([head.position, ...[...sealing.seals, ...outside].map(({ size }) => size)]);
    this.#grower = grower({ roots: [...sizes].sort((a, b) => a - b), tiles: sealing.size });
  }

  /** @param pages Those that follow. */
  async add(pages: readonly StoreEntry[]): Promise<void> {
    if (pages.length === 0) return;
    const growing = this.#grower.grow(pages);
    // It is awaited later; until then nobody listens.
    growing.catch(() => {});
    this.#growing.push(growing);
    await this.#settle(MOST_GROWING);
  }

  /**
   * All pages were added.
   *
   * @param recorded Keys that the log itself says were in use. What they signed counts when a later checkpoint, of a key
   * that was given, seals that record.
   * @returns Number of events that a checkpoint shows to be as they were.
   */
  async finish(recorded: readonly NoteVerifier[] = []): Promise<number> {
    await this.#settle(0);
    // The empty tree's root, in a log that has no pages.
    await this.#compare(await this.#grower.grow([]));
    await this.#checkTileCount();
    return this.#checkSeals(recorded);
  }

  /** Of the first so many events; `undefined` when they were not all there, or it was not asked for. */
  rootAt(size: number): Uint8Array | undefined {
    return this.#roots.get(size);
  }

  close(): void {
    this.#grower.close();
  }

  /** Compares what was grown, until no more than so much is under way. */
  async #settle(most: number): Promise<void> {
    while (this.#growing.length > most) await this.#compare(await this.#growing.shift()!);
  }

  async #compare({ tiles, roots }: Growth): Promise<void> {
    for (const [size, root] of roots) this.#roots.set(size, root);
    const held = await this.#options.store.holds(tiles);
    for (const [i, tile] of tiles.entries()) if (!held[i]) await this.#nameTile(tile);
  }

  async #nameTile({ key, value }: StoreEntry): Promise<void> {
    const { store, findings } = this.#options;
    const [, , level, index] = key as [string, number, number, number];
    const is = (await store.get(key)).value;
    if (!is) return findings.unlawful(null, `tile ${index} of level ${level} of the tree is missing`);
    const at = firstDifference(is, value);
    const count = value.length / HASH_BYTES;
    if (at === undefined) {
      return findings.unlawful(
        null,
        `tile ${index} of level ${level} of the tree has ${is.length} bytes, should have ${value.length}`,
      );
    }
    const first = (index * TILE_WIDTH + at) * leavesPerHash(level);
    if (level > 0) {
      return findings.unlawful(
        null,
        `tile ${index} of level ${level} of the tree: hash ${at} of ${count} is not that of the events from ${first} on`,
      );
    }
    this.#differs = Math.min(this.#differs, first);
    findings.unlawful(first, "the stored bytes are not those that the tree has the hash of");
  }

  /** No tile may be there that the tree does not have. */
  async #checkTileCount(): Promise<void> {
    const { store, findings, sealing: { size } } = this.#options;
    let wanted = 0;
    for (let level = 0; leavesPerHash(level) <= size; level++) {
      wanted += Math.ceil(Math.floor(size / leavesPerHash(level)) / TILE_WIDTH);
    }
    const count = await store.count({ prefix: [], start: [TILES], end: [`${TILES}\0`] });
    if (count === wanted) return;
    findings.unlawful(null, `the tree of ${size} events has ${wanted} tiles, there are ${count}`);
  }

  #checkSeals(recorded: readonly NoteVerifier[]): number {
    const { head, sealing, outside, findings } = this.#options;
    if (sealing.size > head.position) {
      findings.unlawful(
        head.position,
        `the log ends here, but its tree has ${sealing.size} events: those from here on were cut off`,
      );
    }
    const seals = [
      ...sealing.seals.map((seal) => ({ seal, name: "checkpoint" })),
      ...outside.map((seal) => ({ seal, name: "outside checkpoint" })),
    ].sort((a, b) => a.seal.size - b.seal.size);
    const intact = seals.findLast(({ seal }) => this.#fits(seal))?.seal.size ?? 0;
    const lastSigned = seals.findLast(({ seal }) => seal.isSigned)?.seal.size ?? -1;
    let isNamed = false;
    for (const { seal, name } of seals) {
      const { size, unsigned } = seal;
      // A key that the log names is as good as the one that sealed its name.
      const isByRecorded = unsigned !== undefined && size < lastSigned &&
        recorded.some((key) => isCheckpointBy(unsigned, key));
      if (unsigned !== undefined && !isByRecorded) {
        findings.unlawful(null, `the ${name} of ${size} events is not signed by the key`);
      }
      if (this.#fits(seal)) continue;
      if (size > head.position) {
        findings.unlawful(
          head.position,
          `the log ends here, but there is ${name === "checkpoint" ? "a" : "an"} ${name} of ${size} events`,
        );
      } else if (size < intact) {
        findings.unlawful(
          null,
          `the ${name} of ${size} events has not their root, though a later one has that of ${intact}: it is damaged`,
        );
      } else {
        // The tree says which event it is, unless the tree was changed too.
        const position = isNamed || this.#differs < size ? null : intact;
        findings.unlawful(
          position,
          `the ${name} of ${size} events has not their root: ` +
            `an event from ${intact} to ${size - 1} is not the one that was sealed`,
        );
        isNamed = true;
      }
    }
    return intact;
  }

  #fits({ size, root }: Seal): boolean {
    const grown = this.#roots.get(size);
    return grown !== undefined && sameBytes(grown, root);
  }
}

/** Index of the first hash that differs; `undefined` when only the lengths do. */
function firstDifference(is: Uint8Array, shouldBe: Uint8Array): number | undefined {
  const length = Math.min(is.length, shouldBe.length);
  for (let i = 0; i < length; i++) if (is[i] !== shouldBe[i]) return Math.floor(i / HASH_BYTES);
  return undefined;
}
