/**
 * The jobs that a bulk action applies to: those that the filter names and whose status allows it, never a bulk operation.
 *
 * @module
 */
import { BULK_OPERATION, type BulkAction } from "./bulk_job_type.ts";
import type { JobStatus } from "./job/job.ts";
import { type JobState, statusOf } from "./job/state.ts";
import { type JobListSources, listJobs, matches } from "./job_list.ts";
import type { BulkSelection, JobFilter } from "./jobs.ts";

/** Jobs that are looked at, or acted on, at a time. */
export const PAGE = 500;
/** A filter that few jobs fit is walked over for long: what was found is not kept waiting for more pages than these. */
const MOST_READS = 3;

const STATUSES: Readonly<Record<BulkAction, readonly JobStatus[]>> = {
  cancel: ["queued", "processing"],
  retry: ["failed", "cancelled"],
  delete: ["completed", "failed", "cancelled"],
};

export interface SelectionOptions {
  readonly signal: AbortSignal;
  /** Only jobs with smaller ids. */
  readonly before?: string;
  /** Told that there is no further job but with smaller ids, whatever was found above. */
  readonly onWalked?: (downTo: string) => void;
}

/** Pages of these jobs, newest first, no job twice. A job may have changed since its page was read. */
export async function* selectedJobs(
  sources: JobListSources,
  { action, filter }: BulkSelection,
  options: SelectionOptions,
): AsyncGenerator<JobState[]> {
  const lists = statusesOf(action, filter).map((status) => jobsOf(sources, { ...filter, status }, options));
  let page: JobState[] = [];
  let reads = 0;
  for await (const step of newestFirst(lists)) {
    if (isMark(step)) {
      reads += 1;
      options.onWalked?.(step.downTo);
    } else if (step.jobType !== BULK_OPERATION) page.push(step);
    if (page.length < PAGE && reads < MOST_READS) continue;
    if (page.length > 0) yield page;
    page = [];
    reads = 0;
  }
  if (page.length > 0) yield page;
}

/** Whether a job is one of them. */
export function isSelected(state: JobState, { action, filter }: BulkSelection): boolean {
  return state.jobType !== BULK_OPERATION && STATUSES[action].includes(statusOf(state.phase)) &&
    matches(state, filter);
}

/** How many there are now, if the counters know what the filter asks for. */
export function knownCount(sources: JobListSources, selection: BulkSelection): number | undefined {
  return isCounted(selection.filter) ? sumOfCounts(sources, selection) : undefined;
}

/** How many there are now: from the counters if they know it, otherwise by walking over them. */
export async function countSelected(
  sources: JobListSources,
  selection: BulkSelection,
  options: SelectionOptions,
): Promise<number> {
  const known = knownCount(sources, selection);
  if (known !== undefined) return known;
  let count = 0;
  for await (const page of selectedJobs(sources, selection, options)) count += page.length;
  return count;
}

/** Says that a list was read on: what else it has is of smaller ids. */
interface Mark {
  readonly downTo: string;
}

type Step = JobState | Mark;

function isMark(step: Step): step is Mark {
  return "downTo" in step;
}

async function* jobsOf(
  sources: JobListSources,
  filter: JobFilter,
  { signal, before }: SelectionOptions,
): AsyncGenerator<Step> {
  for (let after = before;;) {
    const page = { limit: PAGE, signal, ...(after !== undefined && { after }) };
    const { states, next } = await listJobs(sources, filter, page);
    yield* states;
    if (next === undefined) return;
    yield { downTo: next };
    after = next;
  }
}

/**
 * Merges lists that have the newest first; a job that moved from one to another while they were read comes once. Of none
 * is more read than it takes to know which job comes next, so that one which has few does not hold up the others.
 */
async function* newestFirst(lists: readonly AsyncGenerator<Step>[]): AsyncGenerator<Step> {
  const heads = await Promise.all(lists.map(headOf));
  for (let last: string | undefined;;) {
    const newest = newestOf(heads);
    if (newest === undefined) return;
    const head = heads[newest]!;
    if (isMark(head) || head.id !== last) yield head;
    if (!isMark(head)) last = head.id;
    heads[newest] = await headOf(lists[newest]!);
  }
}

async function headOf<T>(list: AsyncGenerator<T>): Promise<T | undefined> {
  const { done, value } = await list.next();
  return done ? undefined : value;
}

/** Index of the newest step; `undefined` at the end of all lists. */
function newestOf(heads: readonly (Step | undefined)[]): number | undefined {
  let newest: { readonly i: number; readonly place: string } | undefined;
  for (const [i, head] of heads.entries()) {
    if (head === undefined) continue;
    const place = isMark(head) ? head.downTo : head.id;
    if (newest === undefined || place > newest.place) newest = { i, place };
  }
  return newest?.i;
}

function statusesOf(action: BulkAction, { status }: JobFilter): readonly JobStatus[] {
  return STATUSES[action].filter((allowed) => status === undefined || status === allowed);
}

function isCounted({ priority, tag, createdAfter, createdBefore }: JobFilter): boolean {
  return [priority, tag, createdAfter, createdBefore].every((each) => each === undefined);
}

function sumOfCounts({ counts }: JobListSources, { action, filter }: BulkSelection): number {
  let sum = 0;
  for (const lane of counts.lanes()) {
    if (lane.jobType === BULK_OPERATION) continue;
    if (lane.jobType !== (filter.job_type ?? lane.jobType)) continue;
    if (lane.queue !== (filter.queue ?? lane.queue)) continue;
    for (const status of statusesOf(action, filter)) sum += lane.counts[status];
  }
  return sum;
}
