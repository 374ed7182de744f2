/**
 * Where the jobs of a list come from: which indexes together hold every job that a filter may name.
 *
 * | filter | read |
 * | --- | --- |
 * | `status` processing | nothing: these jobs are in the row of running jobs |
 * | `tag` | the tag's index, unless the rest of the filter leaves few jobs |
 * | any other | the parts of the list index that fit; the counts tell which there are |
 * | too many parts | the log, backwards |
 *
 * Jobs that wait since they were created are listed by their bitmaps, those that are being processed by the one row of
 * running jobs.
 *
 * @module
 */
import type { Store, StoreEntry, StoreKey } from "../events/store.ts";
import { type JobCounts, noCounts } from "./job/counts.ts";
import { JOB_PRIORITIES } from "./job/job.ts";
import { laneKey, tagLane } from "./job/keys.ts";
import type { RunningJobs } from "./job/running.ts";
import { LISTED_STATUSES } from "./job/stored.ts";
import type { JobFilter } from "./jobs.ts";
import type { ListSource } from "./list_source.ts";
import { merged } from "./merged_source.ts";
import { jobsInLog, positionBefore, type ReadableLog } from "./jobs_in_log.ts";
import { type Search, valuesUnder } from "./row_lookup.ts";
import type { FoundJob, StoredJobs } from "./stored_jobs.ts";
import { jobsAt, type Lane, lanesOf, waitingBelow, type WaitingPart } from "./waiting_positions.ts";

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
/** A page looks at so many jobs of any source, so these are there at once, however many or few bear a tag. */
const FEW = 200;
/** In so many parts jobs of a tag are looked up before anything else is read of them. */
const FEW_PARTS = 8;

/** The sources of every job that the filter may name, but for those that are being processed. */
export function sourcesFor(from: JobListSources, filter: JobFilter): ListSource[] {
  const { store, log, counts } = from;
  if (filter.status === "processing") return [];
  const { parts, queuesWithWaiting, jobs } = lanesFor(counts, filter);
  const { tag, priority } = filter;
  if (tag !== undefined) {
    const leavesFew = namesPart(filter) && jobs <= FEW;
    if (!leavesFew || parts.length > MAX_PARTS) return [taggedAnd(from, tag, filter, parts)];
  }
  if (parts.length > MAX_PARTS) return [jobsInLog(log)];
  const lanes = lanesOf(queuesWithWaiting)
    .filter(({ rank }) => priority === undefined || JOB_PRIORITIES[rank] === priority);
  const sources = parts.length === 0 ? [] : [merged(parts.map((part) => listed(store, part)))];
  if (lanes.length > 0) sources.push(waiting(from, lanes, filter.job_type));
  return sources;
}

/** Whether the filter names a part of the list index. */
function namesPart({ status, queue, job_type }: JobFilter): boolean {
  return (status ?? queue ?? job_type) !== undefined;
}

function lanesFor(
  counts: JobCounts,
  { status, queue, job_type }: JobFilter,
): { parts: StoreKey[]; queuesWithWaiting: string[]; jobs: number } {
  const parts: StoreKey[] = [];
  let jobs = 0;
  const queues = new Set<string>();
  for (const lane of counts.lanes()) {
    if (queue !== undefined && lane.queue !== queue) continue;
    if (job_type !== undefined && lane.jobType !== job_type) continue;
    for (const each of status === undefined ? LISTED_STATUSES : [status]) {
      if (lane.counts[each] === 0) continue;
      parts.push(laneKey(each, lane.queue, lane.jobType));
      jobs += lane.counts[each];
      if (each === "queued") queues.add(lane.queue);
    }
  }
  return { parts, queuesWithWaiting: [...queues], jobs };
}

/** The statuses of most jobs first, which need not be those of most that bear the tag. */
function searchFor(counts: JobCounts, { status }: JobFilter): Search {
  if (status !== undefined) return { statuses: [status], only: true };
  const sums = noCounts();
  for (const lane of counts.lanes()) for (const each of LISTED_STATUSES) sums[each] += lane.counts[each];
  const statuses = LISTED_STATUSES.filter((each) => sums[each] > 0).sort((a, b) => sums[b] - sums[a]);
  return { statuses, only: false };
}

/** The tag's jobs, of a final status those alone that are in these parts of the list index: each of them has its entry there. */
function taggedAnd(
  { store, counts }: JobListSources,
  tag: string,
  filter: JobFilter,
  parts: readonly StoreKey[],
): ListSource {
  const source = tagged(store, tag, searchFor(counts, filter));
  const { status } = filter;
  if (status === undefined || status === "queued" || parts.length > FEW_PARTS) return source;
  return async (range, want) => {
    const { jobs, floor } = await source(range, want);
    const ids = jobs.map(({ id }) => id);
    const entries = await Promise.all(parts.map((part) => valuesUnder(store, part, ids)));
    const found = ids.flatMap((id, i): FoundJob[] => {
      const entry = entries.find((values) => values[i] !== null)?.[i];
      return entry ? [{ id, entry }] : [];
    });
    return { jobs: found, floor };
  };
}

/** Keys `["g", tag, id]`, which say nothing but that there is such a job. */
function tagged(store: Store, tag: string, search: Search): ListSource {
  return index(store, tagLane(tag), ({ key }) => ({ id: key.at(-1) as string, search }));
}

/** Keys `["0l", "<status>/<queue>/<type>", id]`, whose values are rows or nothing. */
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

/** The jobs of some queues and priorities that wait since they were created; their ids are in the order of the log. */
function waiting(
  { store, log }: JobListSources,
  lanes: readonly Lane[],
  jobType: string | undefined,
): ListSource {
  const wants = (type: string) => jobType === undefined || type === jobType;
  return async ({ first, end }, want) => {
    for (let below = await positionBefore(log, end);;) {
      const parts = await Promise.all(lanes.map((lane) => waitingBelow(store, lane, below, want, wants)));
      const { found, isLast } = mergeDown(parts, want);
      const jobs = (await jobsAt(log, found)).filter(({ id }) => id < end);
      const older = jobs.findIndex(({ id }) => id < first);
      if (older !== -1) return { jobs: jobs.slice(0, older), floor: undefined };
      if (isLast || jobs.length > 0) return { jobs, floor: isLast ? undefined : jobs.at(-1)!.id };
      below = found.at(-1)!.position;
    }
  };
}

/** The latest of what was read of several queues and priorities. */
function mergeDown(parts: readonly WaitingPart[], want: number): WaitingPart {
  // Only down to where each has been read is it known which come next.
  const floor = Math.max(-1, ...parts.map(({ found, isLast }) => isLast ? -1 : found.at(-1)!.position));
  const found = parts.flatMap((part) => part.found.filter(({ position }) => position >= floor))
    .sort((a, b) => b.position - a.position);
  return { found: found.slice(0, want), isLast: floor === -1 && found.length <= want };
}
