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

/** Most queues have fewer entries in an index; of one that has more, the others are leapt over. */
const LEAP = 32;

/** Since when the first job of all waits, or from when on it may start; `undefined` when there is none. Milliseconds since the epoch. */
export async function oldestReadyAt({ store, log }: Source): Promise<number | undefined> {
  const due = await laneStarts(store, DUE, () => false);
  const times = due.map(({ key }) => key[3] as number);
  const waiting = (await laneStarts(store, WAITING, isOfSameNumber)).map(firstIn);
  const [first] = waiting.sort((a, b) => a.position - b.position);
  const [job] = first ? await jobsAt(log, [first]) : [];
  if (job) times.push(timeIn(job.id));
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * Of each queue and priority in the index the first entry, and those behind it that belong to it, by a loose index scan: keys
 * are `[index, queue, rank, …]`.
 */
async function laneStarts(
  store: Store,
  index: string,
  belongs: (entry: StoreEntry, first: StoreEntry) => boolean,
): Promise<StoreEntry[]> {
  const starts: StoreEntry[] = [];
  const prefix = [index];
  let first: StoreEntry | undefined;
  let range: StoreRange = { prefix };
  for (;;) {
    const entries = await store.list(range, { limit: LEAP });
    for (const entry of entries) {
      const isNew = !first || entry.key[1] !== first.key[1] || entry.key[2] !== first.key[2];
      if (isNew) first = entry;
      if (isNew || belongs(entry, first!)) starts.push(entry);
    }
    const last = entries.at(-1);
    if (!last || entries.length < LEAP) return starts;
    const [, queue, rank] = last.key;
    const behind = belongs(last, first!) ? [...last.key, ""] : [index, queue!, rank as number + 1];
    range = { prefix, start: behind };
  }
}

/** Bitmaps of other types of job at the same place in the log. */
function isOfSameNumber(a: StoreEntry, b: StoreEntry): boolean {
  return a.key[3] === b.key[3];
}

function firstIn(entry: StoreEntry): WaitingPosition {
  return { position: Bitmap.fromEntry(entry).positions()[0]!, jobType: entry.key[4] as string };
}
