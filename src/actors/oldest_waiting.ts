/**
 * Since when the job waits that has waited longest, in any queue, read from the beginnings of the two indexes of what waits.
 *
 * @module
 */
import type { EventLog } from "../events/event_log.ts";
import type { Store, StoreEntry, StoreRange } from "../events/store.ts";
import { Bitmap } from "./job/bitmaps.ts";
import { timeIn } from "./job/id.ts";
import { DUE, WAITING } from "./job/keys.ts";
import { jobsAt, type WaitingPosition } from "./waiting_positions.ts";

interface Source {
  readonly store: Store;
  readonly log: Pick<EventLog<unknown>, "find">;
}

/** Entries that are read at a time: at first, and at most where most queues have few of them. */
const FIRST_READ = 4;
const LONGEST_READ = 256;
/** Queues are scanned in so many parts at once. Commits wait for the store no longer than for that. */
const PARTS = 16;

/**
 * Since when the first job of these queues waits, or from when on it may start; `undefined` when there is none. Milliseconds
 * since the epoch.
 *
 * @param queues All that have jobs that wait.
 */
export async function oldestReadyAt(
  { store, log }: Source,
  queues: Iterable<string>,
): Promise<number | undefined> {
  const parts = partsOf([...queues].sort());
  const [due, waiting] = await Promise.all([
    startsIn(store, DUE, parts, () => false),
    startsIn(store, WAITING, parts, isOfSameNumber),
  ]);
  const times = due.map(({ key }) => key[3] as number);
  const [first] = waiting.map(firstIn).sort((a, b) => a.position - b.position);
  const [job] = first ? await jobsAt(log, [first]) : [];
  if (job) times.push(timeIn(job.id));
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Queues from the first on, up to the one behind the last if there is one. */
interface Part {
  readonly from: string;
  readonly to: string | undefined;
}

function partsOf(queues: readonly string[]): Part[] {
  const size = Math.max(1, Math.ceil(queues.length / PARTS));
  const firsts = queues.filter((_, i) => i % size === 0);
  return firsts.map((from, i) => ({ from, to: firsts[i + 1] }));
}

async function startsIn(
  store: Store,
  index: string,
  parts: readonly Part[],
  belongs: (entry: StoreEntry, first: StoreEntry) => boolean,
): Promise<StoreEntry[]> {
  return (await Promise.all(parts.map((part) => laneStarts(store, index, part, belongs)))).flat();
}

/**
 * Of each queue and priority in the part of the index the first entry, and those behind it that belong to it, by a loose index
 * scan: keys are `[index, queue, rank, …]`. What lies behind them is leapt over, so the more of a read that was, the shorter is the next.
 */
async function laneStarts(
  store: Store,
  index: string,
  { from, to }: Part,
  belongs: (entry: StoreEntry, first: StoreEntry) => boolean,
): Promise<StoreEntry[]> {
  const starts: StoreEntry[] = [];
  let range: StoreRange = {
    prefix: [index],
    start: [index, from],
    ...to !== undefined && { end: [index, to] },
  };
  let first: StoreEntry | undefined;
  let limit = FIRST_READ;
  for (;;) {
    const entries = await store.list(range, { limit });
    const before = starts.length;
    for (const entry of entries) {
      const isNew = !first || entry.key[1] !== first.key[1] || entry.key[2] !== first.key[2];
      if (isNew) first = entry;
      if (isNew || belongs(entry, first!)) starts.push(entry);
    }
    const last = entries.at(-1);
    if (!last || entries.length < limit) return starts;
    const [, queue, rank] = last.key;
    const behind = belongs(last, first!) ? [...last.key, ""] : [index, queue!, rank as number + 1];
    range = { ...range, start: behind };
    limit = Math.min(LONGEST_READ, 2 * (starts.length - before) + 1);
  }
}

/** Bitmaps of other types of job at the same place in the log. */
function isOfSameNumber(a: StoreEntry, b: StoreEntry): boolean {
  return a.key[3] === b.key[3];
}

function firstIn(entry: StoreEntry): WaitingPosition {
  return { position: Bitmap.fromEntry(entry).positions()[0]!, jobType: entry.key[4] as string };
}
