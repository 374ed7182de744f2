/**
 * Reads which jobs wait since they were created, in the order of the log or the other way round.
 *
 * @module
 */
import type { EventLog } from "../events/event_log.ts";
import type { Store, StoreEntry, StoreKey } from "../events/store.ts";
import { jobIdOf } from "./job/events.ts";
import { positionIn } from "./job/id.ts";
import { Bitmap, bitmapNumber, POSITIONS_PER_BITMAP } from "./job/bitmaps.ts";
import { waitingKey } from "./job/keys.ts";
import type { FoundJob } from "./stored_jobs.ts";

/** One queue and priority. */
export interface Lane {
  readonly queue: string;
  /** 0 is low, 3 critical. */
  readonly rank: number;
}

/** A job that waits, by its first event. */
export interface WaitingPosition {
  readonly position: number;
  readonly jobType: string;
}

export interface WaitingPart {
  /** In the order of reading. */
  readonly found: readonly WaitingPosition[];
  /** Whether it is known that there is nothing behind them; if not, there are as many as were wanted. */
  readonly isLast: boolean;
}

/** Bitmaps that are read at a time, at first and at most: one may have the bits of 512 jobs or of one. */
const FIRST_READ = 2;
const LONGEST_READ = 256;
const ALL = Number.MAX_SAFE_INTEGER;
/** Nothing but its first event stands for a job that has just been created. */
const NO_ROW = new Uint8Array();

/** The first of those at this position or later, `want` of them unless there are fewer. */
export async function waitingFrom(
  store: Store,
  lane: Lane,
  position: number,
  want: number,
  wants: (jobType: string) => boolean = () => true,
): Promise<WaitingPart> {
  const prefix = prefixOf(lane);
  let start = keyAt(lane, position);
  const found: WaitingPosition[] = [];
  for (let limit = FIRST_READ;; limit = Math.min(4 * limit, LONGEST_READ)) {
    const entries = await store.list({ prefix, start }, { limit });
    const isLast = entries.length < limit;
    if (!isLast) {
      start = keyAt(lane, (numberOf(entries.at(-1)!) + 1) * POSITIONS_PER_BITMAP);
      entries.push(
        ...await store.list({ prefix, start: behind(entries.at(-1)!), end: start }, { limit: ALL }),
      );
    }
    const read = positionsIn(entries, wants).filter((each) => each.position >= position);
    for (const each of read.sort((a, b) => a.position - b.position)) found.push(each);
    if (isLast || found.length >= want) return partOf(found, want, isLast);
  }
}

/** The last of those below this position, the latest first, `want` of them unless there are fewer. */
export async function waitingBelow(
  store: Store,
  lane: Lane,
  position: number,
  want: number,
  wants: (jobType: string) => boolean = () => true,
): Promise<WaitingPart> {
  const prefix = prefixOf(lane);
  let end = keyAt(lane, position + POSITIONS_PER_BITMAP);
  const found: WaitingPosition[] = [];
  for (let limit = FIRST_READ;; limit = Math.min(4 * limit, LONGEST_READ)) {
    const entries = await store.list({ prefix, end }, { limit, reverse: true });
    const isLast = entries.length < limit;
    if (!isLast) {
      const last = entries.at(-1)!;
      end = keyAt(lane, numberOf(last) * POSITIONS_PER_BITMAP);
      entries.push(...await store.list({ prefix, start: end, end: last.key }, { limit: ALL }));
    }
    const read = positionsIn(entries, wants).filter((each) => each.position < position);
    for (const each of read.sort((a, b) => b.position - a.position)) found.push(each);
    if (isLast || found.length >= want) return partOf(found, want, isLast);
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

function partOf(found: WaitingPosition[], want: number, isLast: boolean): WaitingPart {
  return { found: found.slice(0, want), isLast: isLast && found.length <= want };
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

function prefixOf({ queue, rank }: Lane): StoreKey {
  return waitingKey(queue, rank, 0, "").slice(0, 3);
}

/** No key of a bitmap that has the position, or of a later one, comes before it. */
function keyAt({ queue, rank }: Lane, position: number): StoreKey {
  return waitingKey(queue, rank, bitmapNumber(position), "");
}

function behind({ key }: StoreEntry): StoreKey {
  return [...key, ""];
}

function numberOf({ key }: StoreEntry): number {
  return key[3] as number;
}
