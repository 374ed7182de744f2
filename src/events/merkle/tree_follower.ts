/**
 * The follower that keeps the log's Merkle tree and signs checkpoints of it, off the hot path.
 *
 * It reads back what is stored, hashes that, and moves on in commits of its own: no append waits for it, and what it
 * signs is what the disk says.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { joinLines, readEvents } from "../event_page.ts";
import type { Store, StoreEntry, StoreKey } from "../store.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { readEdge, type TreeEdge } from "./growing_tree.ts";
import type { NoteSigner } from "./signed_note.ts";
import { growHere, type StepGrower } from "./growth_step.ts";

export interface TreeFollowerOptions {
  readonly store: Store;
  readonly partition: number;
  /** Number of events on disk. */
  readonly position: () => number;
  /** Signs in the name of the log. */
  readonly signer: NoteSigner;
  readonly clock: Clock;
  /** Closed along with the follower. Default: the tree grows on this thread. */
  readonly grower?: StepGrower;
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
/** So many are hashed at a time: who hashes here lets others have their turn, and memory holds no more of them. */
const EVENTS_PER_STEP = 500;
const COUNTED_AT_ONCE = 1_000;

export const cursorKey = (partition: number): StoreKey => ["tc", partition];
export const checkpointKey = (partition: number, size: number): StoreKey => ["tk", partition, size];

/** Cursors of earlier versions do not count the checkpoints. */
export type StoredCursor = Omit<TreeCursor, "checkpoints"> & { readonly checkpoints?: number };

/** What a commit of the tree writes. */
interface Grown {
  readonly edge: TreeEdge;
  readonly tiles: ReadonlyMap<string, StoreEntry>;
  /** Where the tree is signed. */
  readonly root: Uint8Array | undefined;
}

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
  readonly #grower: StepGrower;
  #edge: TreeEdge | undefined;
  #versionstamp: string | null = null;
  #cursor: TreeCursor = NO_TREE;
  #running: Promise<void> | undefined;
  #timer: unknown;
  #closed = false;

  constructor(options: TreeFollowerOptions) {
    this.#options = options;
    this.#grower = options.grower ?? growHere;
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
    this.#grower.close();
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
      this.#edge = undefined;
      this.#options.onError(error);
    }).finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    let edge = this.#edge ?? await this.#load();
    for (;;) {
      const end = this.#options.position();
      // A new owner of the log may have signed more than this process knows of.
      if (end <= this.#cursor.checkpoint || end < edge.size) return;
      this.#edge = edge = await this.#grow(edge, end);
      const behind = this.#options.position() - this.#cursor.checkpoint;
      if (!this.#closed && behind < EVENTS_PER_CHECKPOINT) return;
    }
  }

  async #load(): Promise<TreeEdge> {
    const { store, partition } = this.#options;
    const { value, versionstamp } = await store.get(cursorKey(partition));
    this.#versionstamp = versionstamp;
    const cursor = value ? decodeCursor(value) : NO_TREE;
    const checkpoints = cursor.checkpoints ?? await countCheckpoints(store, partition);
    this.#cursor = { ...cursor, checkpoints };
    return this.#edge = await readEdge(store, partition, this.#cursor.size);
  }

  /** Moves on to `end` in commits; the last one has the checkpoint. */
  async #grow(from: TreeEdge, end: number): Promise<TreeEdge> {
    let edge = from;
    while (this.#cursor.checkpoint < end) {
      const next = Math.min(end, edge.size + EVENTS_PER_COMMIT);
      const grown = await this.#hash(edge, next, next === end);
      await this.#commit(grown);
      edge = grown.edge;
    }
    return edge;
  }

  async #hash(from: TreeEdge, end: number, isSigned: boolean): Promise<Grown> {
    const { store, partition } = this.#options;
    const tiles = new Map<string, StoreEntry>();
    let edge = from;
    let root: Uint8Array | undefined;
    do {
      const next = Math.min(end, edge.size + EVENTS_PER_STEP);
      const events = await readEvents(store, partition, edge.size, next);
      if (events.length !== next - edge.size) {
        throw new Error(`The log has a gap: event ${edge.size + events.length} cannot be read`);
      }
      const lines = events.length > 0 ? joinLines(events) : undefined;
      const grown = await this.#grower.grow({ partition, edge, lines, root: isSigned && next === end });
      if (grown.edge.size !== next) throw new Error(`The tree grew to ${grown.edge.size}, not to ${next}`);
      for (const tile of grown.tiles) tiles.set(tile.key.join("/"), tile);
      ({ edge, root } = grown);
    } while (edge.size < end);
    return { edge, tiles, root };
  }

  #checkpoint({ edge: { size }, root }: Grown): string | undefined {
    const { signer } = this.#options;
    return root && signCheckpoint({ origin: signer.name, size, root }, signer);
  }

  async #commit(grown: Grown): Promise<void> {
    const { store, partition, onCheckpoint } = this.#options;
    const { checkpoint, checkpoints } = this.#cursor;
    const { edge: { size }, tiles } = grown;
    const note = this.#checkpoint(grown);
    const cursor: TreeCursor = note === undefined
      ? { size, checkpoint, checkpoints }
      : { size, checkpoint: size, checkpoints: checkpoints + 1 };
    const key = cursorKey(partition);
    const puts: StoreEntry[] = [
      ...tiles.values(),
      { key, value: encodeCursor(cursor) },
    ];
    if (note !== undefined) {
      puts.push({ key: checkpointKey(partition, size), value: encoder.encode(note) });
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
