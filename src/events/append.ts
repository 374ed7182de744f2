/**
 * Appends: what joins a batch, what is committed along with it, and what its caller is told.
 *
 * @module
 */
import type { EventMeta, NewEvent, StoredEvent } from "./event.ts";
import type { StoreEntry, StoreKey } from "./store.ts";

/** One or more events of one stream, all or none. */
export interface AppendRequest<Change> {
  readonly stream: string;
  /** The length of the stream that the decision was made on, staged appends included. */
  readonly expectedVersion: number;
  readonly events: readonly NewEvent[];
  readonly meta: EventMeta;
  /**
   * What the events change, for the projector. Called once, before the append joins a batch; may throw. Without it they
   * are a record that changes no view, of which listeners are not told.
   */
  readonly change?: (stored: readonly StoredEvent[]) => Change;
}

/** An append that has joined a batch. */
export interface StagedAppend<Change> {
  readonly stream: string;
  readonly events: readonly StoredEvent[];
  readonly change: Change | undefined;
  /** Appends of one group, which follow one another, share a commit: all of them land or none. */
  readonly group?: object | undefined;
  /**
   * Resolves when the append is on disk. Rejects with `LogUnavailableError` or `LogFencedError` when it certainly is
   * not and never will be, with `UnknownOutcomeError` when that could not be found out in time.
   */
  readonly landed: Promise<void>;
}

/** An append that changes views. */
export type ChangingAppend<Change> = StagedAppend<Change> & { readonly change: Change };

/** Turns the changes of a batch into rows and indexes, each key written once with its last state. */
export interface Projector<Change> {
  /**
   * Rows and index changes for these changes, which follow the last batch that landed; changes nothing itself. Asked while no
   * commit is under way.
   *
   * When what they rest on is not at hand, a promise of its being read, after which the same is asked again. When that
   * rejects, nothing of the batch is written; with an error of the store it is asked again until it does not. An answer
   * that comes after the next question is too late: what it read may be of before a commit.
   */
  project(changes: readonly Change[], events: readonly StoredEvent[]): Mutations | Promise<void>;
  /** The batch of the last `project` is on disk. */
  landed(): void;
  /**
   * Whether what is put there leads to an event from this position on, and is passed over by all readers until that is in the
   * log. Then it may be committed before it, when one commit cannot hold both. Default: no.
   */
  mayPrecede?(key: StoreKey, position: number): boolean;
}

export interface Mutations {
  readonly puts: StoreEntry[];
  readonly deletes: StoreKey[];
}

export type LogHealth = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** Told synchronously, in the order of the log. */
export interface LogListener<Change> {
  /** These appends, none when all of them are mere records, are on disk, in one commit. */
  landed?(appends: readonly ChangingAppend<Change>[]): void;
  /** Whatever was staged and has not landed never will: forget what was decided on it. */
  reset?(): void;
  /** The log stopped taking writes, or takes them again. */
  health?(health: LogHealth): void;
}
