/**
 * Where the jobs of a list come from: which indexes together hold every job that a filter may name.
 *
 * | filter | read |
 * | --- | --- |
 * | `tag` | the tag's index |
 * | any other | the parts of the list index that fit; the counts tell which there are |
 * | too many parts | the log, backwards |
 *
 * Jobs that wait since they were created are listed by the order of choice, those that are being processed by the one row
 * of running jobs.
 *
 * @module
 */
import { firstIdAt } from "../events/ids.ts";
import type { Store, StoreEntry, StoreKey } from "../events/store.ts";
import type { JobCounts } from "./job/counts.ts";
import { timeIn } from "./job/id.ts";
import { JOB_PRIORITIES, JOB_STATUSES } from "./job/job.ts";
import { laneKey } from "./job/keys.ts";
import type { RunningJobs } from "./job/running.ts";
import type { JobFilter } from "./jobs.ts";
import type { ListSource } from "./list_source.ts";
import { jobsInLog, type ReadableLog } from "./jobs_in_log.ts";
import { type FoundJob, foundWaiting, type StoredJobs } from "./stored_jobs.ts";

export interface JobListSources {
  readonly store: Store;
  readonly log: ReadableLog;
  readonly stored: StoredJobs;
  readonly counts: JobCounts;
  readonly running: RunningJobs;
  /** No job was created after this, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** Beyond so many parts it is cheaper to look at all jobs. */
const MAX_PARTS = 64;
/** Entries of the order of choice that a page passes over because they stand there out of the order of ids. */
const MAX_PASSED_OVER = 2_000;

/** The sources of every job that the filter may name, but for those that are being processed. */
export function sourcesFor({ store, log, counts }: JobListSources, filter: JobFilter): ListSource[] {
  if (filter.tag !== undefined) return [tagged(store, filter.tag)];
  const { parts, queuesWithWaiting } = lanesFor(counts, filter);
  if (parts.length > MAX_PARTS) return [jobsInLog(log)];
  const waiting = queuesWithWaiting.flatMap((queue) =>
    JOB_PRIORITIES.flatMap((priority, rank) =>
      filter.priority === undefined || filter.priority === priority
        ? [orderOfChoice(store, ["d", queue, rank])]
        : []
    )
  );
  return [...parts.map((part) => listed(store, part)), ...waiting];
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

/** Keys `["g", tag, id]`, which say nothing but that there is such a job. */
function tagged(store: Store, tag: string): ListSource {
  return index(store, ["g", tag], ({ key }) => ({ id: key.at(-1) as string }));
}

/** Keys `["0l", status, queue, type, id]`, whose values are rows or nothing. */
function listed(store: Store, part: StoreKey): ListSource {
  return index(store, part, ({ key, value }) => ({ id: key.at(-1) as string, entry: value }));
}

/** Keys under the prefix, each of which ends in an id. */
function index(store: Store, prefix: StoreKey, toJob: (entry: StoreEntry) => FoundJob): ListSource {
  return async ({ first, end }, want) => {
    const range = { prefix, start: [...prefix, first], end: [...prefix, end] };
    const entries = await store.list(range, { limit: want, reverse: true });
    const jobs = entries.map(toJob);
    return { jobs, floor: jobs.length < want ? undefined : jobs.at(-1)!.id };
  };
}

/** Keys `["d", queue, rank, readyAt, id]`; those whose id is of that time stand in the order of ids (`isListedByDue`). */
function orderOfChoice(store: Store, lane: StoreKey): ListSource {
  return async ({ first, end }, want) => {
    const jobs: FoundJob[] = [];
    const start = [...lane, timeIn(first || firstIdAt(0)), first];
    let before = placeOf(lane, end);
    for (let passedOver = 0;;) {
      const page = await store.list({ prefix: lane, start, end: before }, { limit: want, reverse: true });
      for (const { key } of page) {
        const [id, readyAt] = [key[4] as string, key[3] as number];
        if (timeIn(id) === readyAt) jobs.push(foundWaiting(id, readyAt));
        else passedOver += 1;
      }
      if (page.length < want) return { jobs, floor: undefined };
      if (jobs.length >= want) return { jobs, floor: jobs.at(-1)!.id };
      const last = page.at(-1)!.key;
      // What is left at this very time was created earlier, so it is not listed here.
      if (passedOver > MAX_PASSED_OVER) return { jobs, floor: firstIdAt(last[3] as number) };
      before = last;
    }
  };
}

/** Where the ids below `end` end. */
function placeOf(lane: StoreKey, end: string): StoreKey {
  const time = timeIn(end);
  return end === firstIdAt(time) ? [...lane, time] : [...lane, time, end];
}
