/**
 * The head: the only key that an append checks.
 *
 * It makes positions dense, fences a writer that has lost its place, and settles a commit whose outcome is not known.
 *
 * @module
 */
import type { StoreKey } from "./store.ts";
import { utf8 } from "./utf8.ts";

/** The log that a restored one was made from. */
export interface EarlierLog {
  readonly log_id: string;
  /** The events before this position are this log's, or of one before it. */
  readonly size: number;
}

export interface Head {
  readonly log_id: string;
  /** Grows by one whenever a process takes the log over. */
  readonly epoch: number;
  /** Position of the next event, which is the number of events. */
  readonly position: number;
  /** Names the commit that wrote this head. */
  readonly batch_id: string;
  /** Time of the last event in milliseconds since the epoch; 0 in an empty log. */
  readonly time: number;
  /** Fixed when the log is created. */
  readonly partitions: number;
  /** In a restored log: those that it goes on from, the oldest first. */
  readonly earlier?: readonly EarlierLog[];
}

/** Of which log the event at a position is. */
export function logIdAt(
  { log_id, earlier = [] }: Pick<Head, "log_id" | "earlier">,
  position: number,
): string {
  return earlier.find(({ size }) => position < size)?.log_id ?? log_id;
}

export function headKey(partition: number): StoreKey {
  return ["h", partition];
}

/**
 * First part of the events' keys, the second of all.
 *
 * SQLite reads the whole of a large value when it compares a key with its own, and a search compares with what lies beside
 * it. So large values begin the order, with the tree's tiles before them and the jobs' oldest rows behind, which nobody
 * writes; beside the head or the waiting jobs they made each of their keys four times as slow.
 */
export const EVENTS = "0e";

export function eventKey(partition: number, position: number): StoreKey {
  return [EVENTS, partition, position];
}

const decoder = new TextDecoder();

export function encodeHead(head: Head): Uint8Array {
  return utf8(JSON.stringify(head));
}

export function decodeHead(bytes: Uint8Array): Head {
  return JSON.parse(decoder.decode(bytes));
}
