/**
 * Reads which jobs wait since they were created, in the order of the log or the other way round.
 *
 * @module
 */
import type { EventLog } from "../events/event_log.ts";
import type { Store, StoreEntry, StoreRange } from "../events/store.ts";
import { jobIdOf } from "./job/events.ts";
import { positionIn } from "./job/id.ts";
import { Bitmap, bitmapNumber } from "./job/bitmaps.ts";
import { JOB_PRIORITIES } from "./job/job.ts";
import { waitingLane } from "./job/keys.ts";
import type { FoundJob } from "./stored_jobs.ts";

/** One queue and priority. */
export interface Lane {
  readonly queue: string;
  /** 0 is low, 3 critical. */
  readonly rank: number;
}

/** All priorities of these queues. */
export function lanesOf(queues: Iterable<string>): Lane[] {
  return [...queues].flatMap((queue) => JOB_PRIORITIES.map((_, rank) => ({ queue, rank })));
}

/** A job that waits, by its first event. */
export interface WaitingPosition {
  readonly position: number;
  readonly jobType: string;
}

export interface WaitingPart {
  /** In the order of reading. */
  readonly found: readonly WaitingPosition[];
  /** Whether there is nothing behind them. */
  readonly isLast: boolean;
}

/** Bitmaps that are read at a time, at first and at most: one may have the bits of 512 jobs or of one. */
const FIRST_READ = 2;
const LONGEST_READ = 256;
const ALL = Number.MAX_SAFE_INTEGER;
/** Nothing but its first event stands for a job that has just been created. */
const NO_ROW = new Uint8Array();

/** The first of those at this position or later, `want` of them unless there are fewer. */
export function waitingFrom(
  store: Store,
  lane: Lane,
  position: number,
  want: number,
  wants: (jobType: string) => boolean = anyType,
): Promise<WaitingPart> {
  const inRange = (found: number) => found >= position;
  return readWaiting(store, { lane, from: bitmapNumber(position), inRange, want, wants });
}

/** The last of those below this position, the latest first, `want` of them unless there are fewer. */
export function waitingBelow(
  store: Store,
  lane: Lane,
  position: number,
  want: number,
  wants: (jobType: string) => boolean = anyType,
): Promise<WaitingPart> {
  const inRange = (found: number) => found < position;
  return readWaiting(store, { lane, from: bitmapNumber(position), reverse: true, inRange, want, wants });
}

interface Reading {
  readonly lane: Lane;
  /** The number of the bitmap to begin with. */
  readonly from: number;
  /** Against the order of the log. Default: along with it. */
  readonly reverse?: boolean;
  readonly inRange: (position: number) => boolean;
  readonly want: number;
  readonly wants: (jobType: string) => boolean;
}

async function readWaiting(store: Store, reading: Reading): Promise<WaitingPart> {
  const { lane: { queue, rank }, reverse = false, inRange, want, wants } = reading;
  const prefix = waitingLane(queue, rank);
  const onFrom = (number: number): StoreRange =>
    reverse ? { prefix, end: [...prefix, number + 1] } : { prefix, start: [...prefix, number] };
  const order = reverse ? -1 : 1;
  let range = onFrom(reading.from);
  const found: WaitingPosition[] = [];
  for (let limit = FIRST_READ;; limit = Math.min(4 * limit, LONGEST_READ)) {
    let entries = await store.list(range, { limit, reverse });
    const isLast = entries.length < limit;
    if (!isLast) {
      // Some types of the last number may not have been among them.
      const last = numberOf(entries.at(-1)!);
      const all = await store.list({ prefix: [...prefix, last] }, { limit: ALL });
      entries = [...entries.filter((entry) => numberOf(entry) !== last), ...all];
      range = onFrom(last + order);
    }
    const read = positionsIn(entries, wants).filter(({ position }) => inRange(position));
    for (const each of read.sort((a, b) => order * (a.position - b.position))) found.push(each);
    if (isLast || found.length > want) return { found: found.slice(0, want), isLast: found.length <= want };
  }
}

/** The jobs that begin at these positions, in their order. */
export async function jobsAt(
  log: Pick<EventLog<unknown>, "find">,
  waiting: readonly WaitingPosition[],
): Promise<(FoundJob & WaitingPosition)[]> {
  const events = await log.find(waiting.map(({ position }) => position));
  return waiting.flatMap((each, i) => {
    const first = events[i];
    if (!first?.event.stream.startsWith("job/")) return [];
    const id = jobIdOf(first.event.stream);
    return positionIn(id) === each.position ? [{ ...each, id, first, entry: NO_ROW }] : [];
  });
}

function positionsIn(
  entries: readonly StoreEntry[],
  wants: (jobType: string) => boolean,
): WaitingPosition[] {
  return entries.flatMap((entry) => {
    const jobType = entry.key[4] as string;
    if (!wants(jobType)) return [];
    return Bitmap.fromEntry(entry).positions().map((position) => ({ position, jobType }));
  });
}

function numberOf({ key }: StoreEntry): number {
  return key[3] as number;
}

function anyType(): boolean {
  return true;
}
