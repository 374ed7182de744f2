/**
 * The follower that keeps the log's Merkle tree and signs checkpoints of it, off the hot path.
 *
 * It reads back what is stored, hashes that, and moves on in commits of its own: no append waits for it, and what it
 * signs is what the disk says.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { readEvents } from "../event_page.ts";
import type { Store, StoreEntry, StoreKey } from "../store.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { GrowingTree } from "./growing_tree.ts";
import type { NoteSigner } from "./signed_note.ts";
import { leafHash } from "./tree_hash.ts";

export interface TreeFollowerOptions {
  readonly store: Store;
  readonly partition: number;
  /** Number of events on disk. */
  readonly position: () => number;
  /** Signs in the name of the log. */
  readonly signer: NoteSigner;
  readonly clock: Clock;
  /** Told of each checkpoint when it is stored. */
  readonly onCheckpoint?: (note: string) => void;
  /** Told when the tree could not be brought up to date; it is tried again. */
  readonly onError: (error: unknown) => void;
}

/** Where the tree is: `size` leaves are hashed, up to `checkpoint` leaves are signed, by so many `checkpoints`. */
export interface TreeCursor {
  readonly size: number;
  readonly checkpoint: number;
  readonly checkpoints: number;
}

/** A checkpoint is due after so many events, and after so long if there were any. */
const EVENTS_PER_CHECKPOINT = 1_000;
const CHECKPOINT_MS = 60_000;
/** So many events are hashed in a commit of the tree. */
const EVENTS_PER_COMMIT = 4_000;
/** So many are hashed before others get their turn on the thread. */
const EVENTS_PER_TURN = 500;
const COUNTED_AT_ONCE = 1_000;

export const cursorKey = (partition: number): StoreKey => ["tc", partition];
export const checkpointKey = (partition: number, size: number): StoreKey => ["tk", partition, size];

/** Cursors of earlier versions do not count the checkpoints. */
export type StoredCursor = Omit<TreeCursor, "checkpoints"> & { readonly checkpoints?: number };

const NO_TREE: TreeCursor = { size: 0, checkpoint: 0, checkpoints: 0 };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeCursor({ size, checkpoint, checkpoints }: StoredCursor): Uint8Array {
  return encoder.encode(JSON.stringify({ size, checkpoint, checkpoints }));
}

/** @throws {SyntaxError} If it is none. */
export function decodeCursor(value: Uint8Array): StoredCursor {
  return JSON.parse(decoder.decode(value));
}

async function countCheckpoints(store: Store, partition: number): Promise<number> {
  const prefix = ["tk", partition];
  let count = 0;
  for (let start: StoreKey = [...prefix, 0];;) {
    const page = await store.list({ prefix, start }, { limit: COUNTED_AT_ONCE });
    count += page.length;
    if (page.length < COUNTED_AT_ONCE) return count;
    start = [...page.at(-1)!.key, ""];
  }
}

export class TreeFollower {
  readonly #options: TreeFollowerOptions;
  #tree: GrowingTree | undefined;
  #versionstamp: string | null = null;
  #cursor: TreeCursor = NO_TREE;
  #running: Promise<void> | undefined;
  #timer: unknown;
  #closed = false;

  constructor(options: TreeFollowerOptions) {
    this.#options = options;
    this.#wait();
  }

  /** Number of events that the tree has. */
  get size(): number {
    return this.#cursor.size;
  }

  /** To be called when events have landed; catches up when enough have. */
  landed(): void {
    if (this.#options.position() - this.#cursor.checkpoint >= EVENTS_PER_CHECKPOINT) void this.#catchUp();
  }

  /** Hashes and signs everything that is on disk now. Never rejects; see `onError`. */
  async flush(): Promise<void> {
    await this.#running;
    await this.#catchUp();
  }

  /** Signs what there is, and ends. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#timer);
    await this.flush();
  }

  #wait(): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      void this.#catchUp();
      this.#wait();
    }, CHECKPOINT_MS);
  }

  #catchUp(): Promise<void> {
    return this.#running ??= this.#run().catch((error) => {
      // Whether the last commit landed is not known: the next run reads where the tree is.
      this.#tree = undefined;
      this.#options.onError(error);
    }).finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    this.#tree ??= await this.#load();
    for (;;) {
      const end = this.#options.position();
      if (end === this.#cursor.checkpoint) return;
      await this.#grow(this.#tree, end);
      const behind = this.#options.position() - this.#cursor.checkpoint;
      if (!this.#closed && behind < EVENTS_PER_CHECKPOINT) return;
    }
  }

  async #load(): Promise<GrowingTree> {
    const { store, partition } = this.#options;
    const { value, versionstamp } = await store.get(cursorKey(partition));
    this.#versionstamp = versionstamp;
    const cursor = value ? decodeCursor(value) : NO_TREE;
    const checkpoints = cursor.checkpoints ?? await countCheckpoints(store, partition);
    this.#cursor = { ...cursor, checkpoints };
    return await GrowingTree.load(store, partition, this.#cursor.size);
  }

  /** Moves on to `end` in commits; the last one has the checkpoint. */
  async #grow(tree: GrowingTree, end: number): Promise<void> {
    for (;;) {
      const next = Math.min(end, tree.size + EVENTS_PER_COMMIT);
      await this.#hash(tree, next);
      if (next === end) return await this.#commit(tree, this.#checkpoint(tree));
      await this.#commit(tree, undefined);
    }
  }

  async #hash(tree: GrowingTree, end: number): Promise<void> {
    const { store, partition } = this.#options;
    while (tree.size < end) {
      const next = Math.min(end, tree.size + EVENTS_PER_TURN);
      const events = await readEvents(store, partition, tree.size, next);
      if (events.length !== next - tree.size) {
        throw new Error(`The log has a gap: event ${tree.size + events.length} cannot be read`);
      }
      for (const bytes of events) tree.append(leafHash(bytes));
    }
  }

  #checkpoint(tree: GrowingTree): string {
    const { signer } = this.#options;
    return signCheckpoint({ origin: signer.name, size: tree.size, root: tree.root() }, signer);
  }

  async #commit(tree: GrowingTree, note: string | undefined): Promise<void> {
    const { store, partition, onCheckpoint } = this.#options;
    const { checkpoint, checkpoints } = this.#cursor;
    const cursor: TreeCursor = note === undefined
      ? { size: tree.size, checkpoint, checkpoints }
      : { size: tree.size, checkpoint: tree.size, checkpoints: checkpoints + 1 };
    const key = cursorKey(partition);
    const puts: StoreEntry[] = [
      ...tree.takeChanges(),
      { key, value: encodeCursor(cursor) },
    ];
    if (note !== undefined) {
      puts.push({ key: checkpointKey(partition, tree.size), value: encoder.encode(note) });
    }
    const landed = await store.commit({
      check: { key, versionstamp: this.#versionstamp },
      puts,
      deletes: [],
    });
    if (landed === null) throw new Error("The tree was moved on by another process");
    this.#versionstamp = landed;
    this.#cursor = cursor;
    if (note !== undefined) onCheckpoint?.(note);
  }
}

/** The latest checkpoint of at most `size` leaves, as it was signed; `undefined` when there is none. */
export async function latestCheckpoint(
  store: Store,
  partition: number,
  size = Number.MAX_SAFE_INTEGER - 1,
): Promise<string | undefined> {
  const prefix = ["tk", partition];
  const [entry] = await store.list({ prefix, end: [...prefix, size + 1] }, { limit: 1, reverse: true });
  return entry && decoder.decode(entry.value);
}
