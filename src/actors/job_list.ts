/**
 * Lists of jobs, newest first, at a cost that does not depend on how many there are.
 *
 * A page merges the indexes that hold what the filter names (`job_list_sources.ts`) and checks on the jobs what no index
 * tells. It looks at so many jobs and no more: a filter that few of them fit may get a short page, or an empty one, and
 * the cursor to go on from.
 *
 * @module
 */
import { firstIdAt } from "../events/ids.ts";
import { type JobListSources, sourcesFor } from "./job_list_sources.ts";
import type { IdRange, ListSource } from "./list_source.ts";
import { type JobState, statusOf } from "./job/state.ts";
import { leadsToFirst } from "./job/stored.ts";
import type { JobFilter } from "./jobs.ts";
import type { FoundJob } from "./stored_jobs.ts";

export type { JobListSources };

export interface ListPage {
  /** Most jobs that are shown. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string;
  /** Ends the search. */
  readonly signal?: AbortSignal;
}

/** Jobs that one page looks at, at most, unless it may show as many: then one more, which tells whether there are others. */
export const SCAN_LIMIT = 200;
/** An id is drawn a little before its event is dated, so a range of ids begins this much earlier. */
const ID_MARGIN_MS = 2_000;

/** `next` is where the search stopped, if there may be more; not necessarily a job that is shown. */
export async function listJobs(
  from: JobListSources,
  filter: JobFilter,
  page: ListPage,
): Promise<{ states: JobState[]; next: string | undefined }> {
  const meanwhile: Meanwhile = { created: new Set(), changed: new Set() };
  const stop = from.log.listen({
    landed: (appends) => {
      for (const { change: { before, after } } of appends) {
        (before ? meanwhile.changed : meanwhile.created).add(after.id);
      }
    },
  });
  try {
    return await search(from, filter, page, meanwhile);
  } finally {
    stop();
  }
}

/** Ids of jobs that land while a page is read. */
interface Meanwhile {
  /** Passed over, since some of a batch may be in an index before the batch is in the log. */
  readonly created: Set<string>;
  readonly changed: Set<string>;
}

async function search(
  from: JobListSources,
  filter: JobFilter,
  { limit, after, signal }: ListPage,
  { created, changed }: Meanwhile,
): Promise<{ states: JobState[]; next: string | undefined }> {
  const sources = sourcesFor(from, filter);
  const first = lowestId(filter);
  let end = highestId(filter, after, from.now());
  const found: JobState[] = [];
  const most = Math.max(SCAN_LIMIT, limit + 1);
  // No index tells priorities, so of these there may be few; and one step is quicker than several.
  let step = filter.priority === undefined ? limit + 1 : most;
  for (let looked = 0; looked < most && end > first; step = Math.min(2 * step, most - looked)) {
    signal?.throwIfAborted();
    const { states, floor } = await readNewest(from, sources, { first, end }, step, changed);
    const tooOld = states.findIndex((state) => state && endsRange(state, filter));
    for (const state of tooOld === -1 ? states : states.slice(0, tooOld)) {
      if (state && !created.has(state.id) && matches(state, filter)) found.push(state);
    }
    if (found.length > limit) return { states: found.slice(0, limit), next: found[limit - 1]!.id };
    if (floor === undefined || tooOld !== -1) return { states: found, next: undefined };
    looked += Math.max(states.length, step);
    end = floor;
  }
  return { states: found, next: end > first ? end : undefined };
}

/** The newest jobs of all sources, those that change meanwhile as they are before or after. */
async function readNewest(
  from: JobListSources,
  sources: readonly ListSource[],
  range: IdRange,
  want: number,
  changed: ReadonlySet<string>,
): Promise<{ states: (JobState | null)[]; floor: string | undefined }> {
  const { jobs, floor } = await newest(from, sources, range, want, changed);
  const states = await from.stored.read(jobs);
  const stale = [...jobs.entries()].filter(([, { id, entry, search }]) =>
    (entry || search) && changed.has(id)
  );
  const again = await from.stored.read(stale.map(([, { id }]) => ({ id })));
  stale.forEach(([i], n) => states[i] = again[n]!);
  return { states, floor };
}

/** The newest jobs of all sources, and what changed while they were read. Below `floor` there may be more; `undefined` when there are none. */
async function newest(
  { running }: JobListSources,
  sources: readonly ListSource[],
  range: IdRange,
  want: number,
  changed: ReadonlySet<string>,
): Promise<{ jobs: FoundJob[]; floor: string | undefined }> {
  const parts = await Promise.all(sources.map((source) => source(range, want)));
  // A job that was started, ended or moved while the indexes were read may be in none of them, or in two.
  const found = new Map<string, FoundJob>();
  for (const id of [...running.ids, ...changed]) {
    if (id >= range.first && id < range.end) found.set(id, { id });
  }
  let floor: string | undefined;
  for (const part of parts) {
    for (const job of part.jobs) found.set(job.id, found.has(job.id) ? { id: job.id } : job);
    // Only down to where every source has been read is it known which ids come next.
    if (part.floor !== undefined && (floor === undefined || part.floor > floor)) floor = part.floor;
  }
  const ids = [...found.keys()].filter((id) => floor === undefined || id >= floor).sort().reverse();
  const jobs = ids.slice(0, want).map((id) => found.get(id)!);
  return { jobs, floor: ids.length <= want ? floor : ids[want - 1] };
}

function lowestId({ createdAfter }: JobFilter): string {
  return createdAfter === undefined ? "" : firstIdAt(createdAfter - ID_MARGIN_MS);
}

/** Whether all jobs with smaller ids were created too early as well: so it is where ids follow the log. */
function endsRange(state: JobState, { createdAfter }: JobFilter): boolean {
  return createdAfter !== undefined && state.createdAt <= createdAfter && leadsToFirst(state);
}

function highestId({ createdBefore }: JobFilter, after: string | undefined, now: number): string {
  // No id is of the future; jobs that are scheduled stand there in the order of choice.
  const bound = firstIdAt(Math.min(createdBefore ?? Infinity, now + ID_MARGIN_MS));
  return after !== undefined && after < bound ? after : bound;
}

/** Whether the job is one that the filter asks for. */
export function matches(state: JobState, filter: JobFilter): boolean {
  return state.phase !== "deleted" &&
    (filter.status === undefined || statusOf(state.phase) === filter.status) &&
    (filter.job_type === undefined || state.jobType === filter.job_type) &&
    (filter.queue === undefined || state.queue === filter.queue) &&
    (filter.priority === undefined || state.priority === filter.priority) &&
    (filter.tag === undefined || state.tags.includes(filter.tag)) &&
    (filter.createdAfter === undefined || state.createdAt > filter.createdAfter) &&
    (filter.createdBefore === undefined || state.createdAt < filter.createdBefore);
}
