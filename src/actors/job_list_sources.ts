/**
 * Where the ids of a list come from: which indexes together hold every job that a filter may name.
 *
 * | filter | read |
 * | --- | --- |
 * | `tag` | the tag's index |
 * | `status`, `queue`, `job_type` | the parts of the list index that fit; the counts tell which there are |
 * | none of these, or too many parts | the rows, and the waiting jobs that have none |
 *
 * Jobs that wait since they were created are listed by the order of choice, those that are being processed by the one row
 * of running jobs.
 *
 * @module
 */
import { firstIdAt } from "../events/ids.ts";
import type { Store, StoreKey } from "../events/store.ts";
import type { JobCounts } from "./job/counts.ts";
import { timeIn } from "./job/id.ts";
import { JOB_PRIORITIES, JOB_STATUSES } from "./job/job.ts";
import { laneKey, ROWS } from "./job/keys.ts";
import type { RunningJobs } from "./job/running.ts";
import type { JobFilter } from "./jobs.ts";
import type { StoredJobs } from "./stored_jobs.ts";

export interface JobListSources {
  readonly store: Store;
  readonly stored: StoredJobs;
  readonly counts: JobCounts;
  readonly running: RunningJobs;
  /** No job was created after this, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** Ids from `first` (inclusive) to `end` (exclusive). */
export interface IdRange {
  readonly first: string;
  readonly end: string;
}

/** The newest ids of a source; below `floor` there may be more, `undefined` when there are none. */
export interface SourcePart {
  readonly ids: readonly string[];
  readonly floor: string | undefined;
}

export type ListSource = (range: IdRange, want: number) => Promise<SourcePart>;

/** Beyond so many parts it is cheaper to pass over rows. */
const MAX_PARTS = 64;
/** Entries of the order of choice that a page passes over because they stand there out of the order of ids. */
const MAX_PASSED_OVER = 2_000;

/** The sources of every job that the filter may name, but for those that are being processed. */
export function sourcesFor({ store, counts }: JobListSources, filter: JobFilter): ListSource[] {
  if (filter.tag !== undefined) return [index(store, ["g", filter.tag])];
  const { parts, queuesWithWaiting } = lanesFor(counts, filter);
  const waiting = queuesWithWaiting.flatMap((queue) =>
    JOB_PRIORITIES.flatMap((priority, rank) =>
      filter.priority === undefined || filter.priority === priority
        ? [orderOfChoice(store, ["d", queue, rank])]
        : []
    )
  );
  const isOfAll = filter.status === undefined && filter.queue === undefined && filter.job_type === undefined;
  if (!isOfAll && parts.length <= MAX_PARTS) {
    return [...parts.map((part) => index(store, part)), ...waiting];
  }
  // Rows are of every status; of those that wait only some have one.
  const listed = parts.filter(([, status]) => status === "queued").map((part) => index(store, part));
  return [index(store, [ROWS]), ...listed, ...waiting];
}

function lanesFor(
  counts: JobCounts,
  { status, queue, job_type }: JobFilter,
): { parts: StoreKey[]; queuesWithWaiting: string[] } {
  const parts: StoreKey[] = [];
  const queues = new Set<string>();
  for (const lane of counts.lanes()) {
    if (queue !== undefined && lane.queue !== queue) continue;
    if (job_type !== undefined && lane.jobType !== job_type) continue;
    for (const each of status === undefined ? JOB_STATUSES : [status]) {
      if (lane.counts[each] === 0 || each === "processing") continue;
      parts.push(laneKey(each, lane.queue, lane.jobType));
      if (each === "queued") queues.add(lane.queue);
    }
  }
  return { parts, queuesWithWaiting: [...queues] };
}

/** Keys under the prefix, each of which ends in an id. */
function index(store: Store, prefix: StoreKey): ListSource {
  return async ({ first, end }, want) => {
    const range = { prefix, start: [...prefix, first], end: [...prefix, end] };
    const entries = await store.list(range, { limit: want, reverse: true });
    const ids = entries.map(({ key }) => key.at(-1) as string);
    return { ids, floor: ids.length < want ? undefined : ids.at(-1) };
  };
}

/** Keys `["d", queue, rank, readyAt, id]`; those whose id is of that time stand in the order of ids (`isListedByDue`). */
function orderOfChoice(store: Store, lane: StoreKey): ListSource {
  return async ({ first, end }, want) => {
    const ids: string[] = [];
    const start = [...lane, timeIn(first || firstIdAt(0)), first];
    let before = placeOf(lane, end);
    for (let passedOver = 0;;) {
      const page = await store.list({ prefix: lane, start, end: before }, { limit: want, reverse: true });
      for (const { key } of page) {
        if (timeIn(key[4] as string) === key[3]) ids.push(key[4] as string);
        else passedOver += 1;
      }
      if (page.length < want) return { ids, floor: undefined };
      if (ids.length >= want) return { ids, floor: ids.at(-1) };
      const last = page.at(-1)!.key;
      // What is left at this very time was created earlier, so it is not listed here.
      if (passedOver > MAX_PASSED_OVER) return { ids, floor: firstIdAt(last[3] as number) };
      before = last;
    }
  };
}

/** Where the ids below `end` end. */
function placeOf(lane: StoreKey, end: string): StoreKey {
  const time = timeIn(end);
  return end === firstIdAt(time) ? [...lane, time] : [...lane, time, end];
}
