/**
 * What an outside verifier needs of a log: its latest checkpoint, proofs, and the stored bytes themselves.
 *
 * @module
 */
import { readEvents } from "../events/event_page.ts";
import { consistencyProof, inclusionProof } from "../events/merkle/proofs.ts";
import { storedHashes } from "../events/merkle/stored_tree.ts";
import { latestCheckpoint } from "../events/merkle/tree_follower.ts";
import type { Store } from "../events/store.ts";

export interface LogProofsOptions {
  readonly store: Store;
  readonly partition: number;
  /** Number of events on disk. */
  readonly position: () => number;
  /** Brings the tree up to date with what is on disk. */
  readonly catchUp: () => Promise<void>;
  /** Number of events that the tree has. */
  readonly treeSize: () => number;
}

/** A place or size is asked for that the log does not have. */
export class BeyondLogError extends RangeError {
  override readonly name = "BeyondLogError";
}

export interface InclusionProof {
  readonly leafHash: Uint8Array;
  readonly root: Uint8Array;
  readonly hashes: readonly Uint8Array[];
}

export interface ConsistencyProof {
  readonly fromRoot: Uint8Array;
  readonly toRoot: Uint8Array;
  readonly hashes: readonly Uint8Array[];
}

const MAX_ENTRIES = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;

export class LogProofs {
  readonly #options: LogProofsOptions;

  constructor(options: LogProofsOptions) {
    this.#options = options;
  }

  /** The latest checkpoint as it was signed; `undefined` while there is none. */
  checkpoint(): Promise<string | undefined> {
    return latestCheckpoint(this.#options.store, this.#options.partition);
  }

  /**
   * That the event at `position` is in the tree of the first `size` events.
   *
   * @throws {BeyondLogError} If there is no such event or size.
   */
  async inclusion(position: number, size: number): Promise<InclusionProof> {
    await this.#mustHave(size);
    if (position >= size) {
      throw new BeyondLogError(`The first ${size} events have none at position ${position}`);
    }
    const hashOf = this.#hashes();
    return {
      leafHash: await hashOf(position, position + 1),
      root: await hashOf(0, size),
      hashes: await inclusionProof(hashOf, position, size),
    };
  }

  /**
   * That the tree of the first `to` events begins with that of the first `from`.
   *
   * @throws {BeyondLogError} If there are not so many events, or `from` is larger than `to`.
   */
  async consistency(from: number, to: number): Promise<ConsistencyProof> {
    await this.#mustHave(to);
    if (from > to) throw new BeyondLogError(`The first ${to} events do not begin with the first ${from}`);
    const hashOf = this.#hashes();
    return {
      fromRoot: await hashOf(0, from),
      toRoot: await hashOf(0, to),
      hashes: await consistencyProof(hashOf, from, to),
    };
  }

  /**
   * The stored bytes of the events from `start` (inclusive) to `end` (exclusive): at least the first of them, as many as
   * make up 4 MiB, at most 1000.
   *
   * @throws {BeyondLogError} If there are not so many events, or `start` is not below `end`.
   */
  async entries(start: number, end: number): Promise<Uint8Array[]> {
    const { store, partition, position } = this.#options;
    if (start >= end || end > position()) {
      throw new BeyondLogError(`The log has ${position()} events, none from ${start} up to ${end}`);
    }
    const found: Uint8Array[] = [];
    let bytes = 0;
    for (let from = start; from < end && found.length < MAX_ENTRIES && bytes < MAX_BYTES;) {
      const page = await readEvents(store, partition, from, Math.min(end, from + 100, start + MAX_ENTRIES));
      for (const event of page) {
        if (found.length > 0 && bytes + event.length > MAX_BYTES) return found;
        found.push(event);
        bytes += event.length;
      }
      from += page.length;
    }
    return found;
  }

  async #mustHave(size: number): Promise<void> {
    const { position, treeSize, catchUp } = this.#options;
    if (size > position()) throw new BeyondLogError(`The log has ${position()} events, fewer than ${size}`);
    if (size > treeSize()) await catchUp();
    if (size > treeSize()) throw new Error("The log's tree is not up to date: the server's log says why");
  }

  #hashes() {
    return storedHashes(this.#options.store, this.#options.partition);
  }
}
