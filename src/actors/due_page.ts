/**
 * Reads what waits in one queue and priority, in the order of choice, from the two indexes that hold it: jobs that wait
 * since they were created, in the order of the log, and all others, by the time from which they may start.
 *
 * @module
 */
import type { EventLog } from "../events/event_log.ts";
import { dueByType, type TypeLists } from "./due_by_type.ts";
import { timeIn } from "./job/id.ts";
import { dueLane } from "./job/keys.ts";
import type { FoundJob } from "./stored_jobs.ts";
import { jobsAt, type Lane, waitingFrom } from "./waiting_positions.ts";

/** A place in the order of choice: by time, then by id. */
export interface Place {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly readyAt: number;
}

export interface DueEntry extends Place {
  readonly jobType: string;
  /** Of its first event, if it is known that it waits since it was created. */
  readonly position?: number;
}

/** Up to this place all is read. */
export interface Horizon extends Place {
  /** Jobs that wait since they were created stand behind the place only if they begin at this position or later. */
  readonly from: number;
}

export interface DueSource extends TypeLists {
  readonly log: Pick<EventLog<unknown>, "find">;
  /** Jobs of other types are passed over. */
  readonly handles: (jobType: string) => boolean;
  /** By which it is decided what is due, in milliseconds since the epoch. */
  readonly now: () => number;
}

export interface DuePage {
  readonly jobs: readonly (DueEntry & FoundJob)[];
  /** `undefined` when nothing stands behind the page. */
  readonly end: Horizon | undefined;
}

interface Part extends Pick<DuePage, "jobs"> {
  readonly end: Place | undefined;
}

/** Before all others. */
export const BEGINNING: Horizon = { id: "", readyAt: -1, from: 0 };

/** What is on disk is read so long before it may be due: there may be much to pass over. */
export const AHEAD_MS = 5_000;

const decoder = new TextDecoder();

/** Reads on behind the horizon: so many jobs of each index, or fewer. */
export async function readDue(
  source: DueSource,
  lane: Lane,
  horizon: Horizon,
  want: number,
): Promise<DuePage> {
  const due = await byTime(source, lane, horizon, want);
  const waiting = await byPosition(source, lane, horizon, want, due.end);
  // Only up to where both have been read is it known which come next.
  const [end] = [due, waiting].flatMap((part) => part.end ?? []).sort(comparePlaces);
  const jobs = [...due.jobs, ...waiting.jobs]
    .filter((job) => end === undefined || comparePlaces(job, end) <= 0)
    .sort(comparePlaces);
  return { jobs, end: end && { ...end, from: Math.max(horizon.from, positionBehind(jobs)) } };
}

/** The horizon of one who knows these entries and nothing behind them, at least one. */
export function horizonBehind(entries: readonly DueEntry[]): Horizon {
  return { ...entries.at(-1)!, from: positionBehind(entries) };
}

export function comparePlaces(a: Place, b: Place): number {
  return a.readyAt - b.readyAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** Whether something behind the place may be due now, or very soon. */
export function mayBeSoon({ now }: DueSource, { readyAt }: Place): boolean {
  return readyAt <= now() + AHEAD_MS;
}

async function byTime(source: DueSource, lane: Lane, after: Place, want: number): Promise<Part> {
  const { store, handles } = source;
  const { queue, rank } = lane;
  const prefix = dueLane(queue, rank);
  let last = after;
  for (let pages = 1;; pages++) {
    const start = [...prefix, Math.max(0, last.readyAt), `${last.id}\0`];
    const read = (await store.list({ prefix, start }, { limit: want })).map(({ key, value }) => ({
      id: key[4] as string,
      readyAt: key[3] as number,
      jobType: decoder.decode(value),
    }));
    const jobs = read.filter(({ jobType }) => handles(jobType));
    const end = read.length < want ? undefined : read.at(-1)!;
    if (!end || jobs.length > 0 || !mayBeSoon(source, end)) return { jobs, end };
    // However many are in the way, a few behind them are found at once.
    const few = pages === 1 ? await dueByType(source, lane, want) : undefined;
    if (few) return { jobs: few.filter((job) => comparePlaces(job, after) > 0), end: undefined };
    last = end;
  }
}

/** @param upTo What stands behind this place need not be read. */
async function byPosition(
  { store, log, handles }: DueSource,
  lane: Lane,
  horizon: Horizon,
  want: number,
  upTo: Place | undefined,
): Promise<Part> {
  for (let from = horizon.from;;) {
    const { found, isLast } = await waitingFrom(store, lane, from, want, handles);
    const [first] = upTo ? await jobsAt(log, found.slice(0, 1)) : [];
    if (upTo && first && timeIn(first.id) > upTo.readyAt) return { jobs: [], end: upTo };
    const jobs = (await jobsAt(log, found))
      .map((job) => ({ ...job, readyAt: timeIn(job.id) }))
      .filter((job) => comparePlaces(job, horizon) > 0);
    if (isLast || jobs.length > 0) return { jobs, end: isLast ? undefined : jobs.at(-1) };
    from = found.at(-1)!.position + 1;
  }
}

/** The position behind the last of them that is known to wait since it was created, 0 when none is: all is read again then. */
function positionBehind(entries: readonly DueEntry[]): number {
  const last = entries.findLast(({ position }) => position !== undefined)?.position;
  return last === undefined ? 0 : last + 1;
}
