/**
 * The head: the only key that an append checks.
 *
 * It makes positions dense, fences a writer that has lost its place, and settles a commit whose outcome is not known.
 *
 * @module
 */
import type { StoreKey } from "./store.ts";

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
}

export function headKey(partition: number): StoreKey {
  return ["h", partition];
}

export function eventKey(partition: number, position: number): StoreKey {
  return ["e", partition, position];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeHead(head: Head): Uint8Array {
  return encoder.encode(JSON.stringify(head));
}

export function decodeHead(bytes: Uint8Array): Head {
  return JSON.parse(decoder.decode(bytes));
}
