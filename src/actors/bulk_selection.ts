/**
 * The jobs that a bulk action applies to: those that the filter names and whose status allows it, never a bulk operation.
 *
 * @module
 */
import { BULK_OPERATION, type BulkAction } from "./bulk_job_type.ts";
import type { JobStatus } from "./job/job.ts";
import type { JobState } from "./job/state.ts";
import { type JobListSources, listJobs } from "./job_list.ts";
import type { BulkSelection, JobFilter } from "./jobs.ts";

const PAGE = 500;

const STATUSES: Readonly<Record<BulkAction, readonly JobStatus[]>> = {
  cancel: ["queued", "processing"],
  retry: ["failed", "cancelled"],
  delete: ["completed", "failed", "cancelled"],
};

export interface SelectionOptions {
  readonly signal: AbortSignal;
  /** Only jobs with smaller ids. */
  readonly before?: string;
}

/** Pages of these jobs, newest first, no job twice. A job may have changed since its page was read. */
export async function* selectedJobs(
  sources: JobListSources,
  { action, filter }: BulkSelection,
  options: SelectionOptions,
): AsyncGenerator<JobState[]> {
  const lists = statusesOf(action, filter).map((status) => jobsOf(sources, { ...filter, status }, options));
  let page: JobState[] = [];
  for await (const state of newestFirst(lists)) {
    if (state.jobType === BULK_OPERATION) continue;
    page.push(state);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** How many there are now: from the counters if they know what the filter asks for, otherwise by walking over them. */
export async function countSelected(
  sources: JobListSources,
  selection: BulkSelection,
  options: SelectionOptions,
): Promise<number> {
  if (isCounted(selection.filter)) return sumOfCounts(sources, selection);
  let count = 0;
  for await (const page of selectedJobs(sources, selection, options)) count += page.length;
  return count;
}

async function* jobsOf(
  sources: JobListSources,
  filter: JobFilter,
  { signal, before }: SelectionOptions,
): AsyncGenerator<JobState> {
  for (let after = before;;) {
    const page = { limit: PAGE, signal, ...(after !== undefined && { after }) };
    const { states, next } = await listJobs(sources, filter, page);
    yield* states;
    if (next === undefined) return;
    after = next;
  }
}

/** Merges lists that have the newest first; a job that moved from one to another while they were read comes once. */
async function* newestFirst(lists: readonly AsyncGenerator<JobState>[]): AsyncGenerator<JobState> {
  const heads = await Promise.all(lists.map((list) => list.next()));
  let last: string | undefined;
  for (;;) {
    let newest = -1;
    heads.forEach(({ done, value }, i) => {
      if (!done && (newest === -1 || value.id > heads[newest]!.value.id)) newest = i;
    });
    if (newest === -1) return;
    const state: JobState = heads[newest]!.value;
    if (state.id !== last) yield state;
    last = state.id;
    heads[newest] = await lists[newest]!.next();
  }
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
