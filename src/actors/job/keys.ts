/**
 * The keys of a job's rows and indexes in the store.
 *
 * | key | holds |
 * | --- | --- |
 * | `["0j", id]` | the job's row, if neither events nor its entry in the lists stand for it (`stored.ts`) |
 * | `["z", id]` | the row of a deleted job, so that its history can be found |
 * | `["p", id, n]` | the n-th chunk of positions of a long history |
 * | `["0l", "<status>/<queue>/<type>", id]` | index of the lists, most with the row; jobs that are processed or wait since they were created have none |
 * | `["g", tag, id]` | index of the lists by tag |
 * | `["r"]` | the jobs that are being processed: their starts, or ids |
 * | `["w", queue, rank, n, type]` | which jobs wait since they were created, as a bitmap (`bitmaps.ts`); `rank` 0 is low, 3 critical |
 * | `["d", queue, rank, readyAt, id]` | other queued jobs in the order of choice, with their type |
 * | `["i", keyHash]` | an idempotency key; `["x", expiresAt, keyHash]` its expiry |
 * | `["c", queue, type]` | counts by status |
 * | `["m", minute]` | how many jobs became final in that minute since the epoch |
 *
 * @module
 */
import type { StoreKey } from "../../events/store.ts";
import { positionIn } from "./id.ts";
import { JOB_PRIORITIES, type JobStatus } from "./job.ts";
import { type JobState, statusOf } from "./state.ts";

/** First parts of the keys of rows and lists, right behind the events, see `EVENTS`. */
export const ROWS = "0j";
export const LISTS = "0l";
const TAGS = "g";
/** First parts of the keys of what waits: since its creation, and all else. */
export const WAITING = "w";
export const DUE = "d";

export const rowKey = (id: string): StoreKey => [ROWS, id];
export const tombstoneKey = (id: string): StoreKey => ["z", id];
export const chunkKey = (id: string, chunk: number): StoreKey => ["p", id, chunk];
export const idempotencyKey = (keyHash: string): StoreKey => ["i", keyHash];
export const idempotencyExpiryKey = (
  expiresAt: number,
  keyHash: string,
): StoreKey => ["x", expiresAt, keyHash];
export const countsKey = (queue: string, jobType: string): StoreKey => ["c", queue, jobType];
export const minuteKey = (minute: number): StoreKey => ["m", minute];

/** One text, because Deno KV pays for each part of a key. */
export const laneKey = (
  status: JobStatus,
  queue: string,
  jobType: string,
): StoreKey => [LISTS, `${status}/${queue}/${jobType}`];
export const listKey = (state: JobState): StoreKey => [
  ...laneKey(statusOf(state.phase), state.queue, state.jobType),
  state.id,
];
export const tagLane = (tag: string): StoreKey => [TAGS, tag];
export const tagKey = (tag: string, id: string): StoreKey => [...tagLane(tag), id];

/** Whether the key is of the tags' index, of which readers take only the ids, and its id leads to an event from this position on. */
export function leadsBeyond(key: StoreKey, position: number): boolean {
  const [index, , id] = key;
  return index === TAGS && typeof id === "string" && positionIn(id) >= position;
}

/** Bitmaps of one queue and priority follow one another as the log does. */
export const waitingLane = (queue: string, rank: number): StoreKey => [WAITING, queue, rank];
export const waitingKey = (queue: string, rank: number, number: number, jobType: string): StoreKey => [
  ...waitingLane(queue, rank),
  number,
  jobType,
];

export const dueLane = (queue: string, rank: number): StoreKey => [DUE, queue, rank];

/** Where a queued job that does not wait since its creation stands in the order of choice. */
export const dueKey = (state: JobState): StoreKey => [
  ...dueLane(state.queue, JOB_PRIORITIES.indexOf(state.priority)),
  state.readyAt,
  state.id,
];
