/**
 * Lists of jobs, newest first.
 *
 * There is one index, by status, queue and type; a filter that names some of the three merges the parts that fit, and
 * the counts tell which parts there are. What the index does not tell (priority, or too many parts to merge) is checked
 * on the rows.
 *
 * @module
 */
import { firstIdAt } from "../events/ids.ts";
import type { Store, StoreKey } from "../events/store.ts";
import type { JobCounts } from "./job/counts.ts";
import { JOB_STATUSES } from "./job/job.ts";
import { laneKey, rowKey } from "./job/keys.ts";
import { decodeRow } from "./job/row.ts";
import type { RunningJobs } from "./job/running.ts";
import { type JobState, statusOf } from "./job/state.ts";
import type { JobFilter } from "./jobs.ts";

export interface JobListSources {
  readonly store: Store;
  readonly counts: JobCounts;
  readonly running: RunningJobs;
}

/** An id is drawn a little before its event is dated, so a range of ids is taken this much wider. */
const ID_MARGIN_MS = 2_000;
const PAGE = 100;
/** Beyond so many parts it is cheaper to pass over rows. */
const MAX_LANES = 64;

/** @param page `after` is the id of the last job of the page before. */
export async function listJobs(
  sources: JobListSources,
  filter: JobFilter,
  page: { readonly limit: number; readonly after?: string },
): Promise<{ states: JobState[]; next: string | undefined }> {
  const prefixes = prefixesFor(sources.counts, filter);
  const first = lowestId(filter);
  let end = highestId(filter, page.after);
  const want = Math.max(PAGE, page.limit + 1);
  const found: JobState[] = [];
  while (found.length <= page.limit) {
    const ids = await newestIds(sources, prefixes, first, end, want);
    const rows = await sources.store.getMany(ids.map(rowKey));
    for (const row of rows) {
      const state = row && decodeRow(row);
      if (state && matches(state, filter)) found.push(state);
    }
    if (ids.length < want) break;
    end = ids.at(-1)!;
  }
  const states = found.slice(0, page.limit);
  return { states, next: found.length > page.limit ? states.at(-1)?.id : undefined };
}

/** Ids from `first` (inclusive) to `end` (exclusive) under the prefixes or being processed, newest first. */
async function newestIds(
  { store, running }: JobListSources,
  prefixes: readonly StoreKey[],
  first: string,
  end: string,
  want: number,
): Promise<string[]> {
  const before = running.ids;
  const lists = await Promise.all(
    prefixes.map((prefix) =>
      store.list({ prefix, start: [...prefix, first], end: [...prefix, end] }, { limit: want, reverse: true })
    ),
  );
  const ids = new Set(lists.flat().map(({ key }) => key.at(-1) as string));
  // A job may have been started while the index was read, or have ended: it is in one of the two.
  for (const id of [...before, ...running.ids]) if (id >= first && id < end) ids.add(id);
  return [...ids].sort().reverse().slice(0, want);
}

function prefixesFor(counts: JobCounts, { status, job_type, queue, tag }: JobFilter): StoreKey[] {
  if (tag !== undefined) return [["g", tag]];
  if (status === undefined && job_type === undefined && queue === undefined) return [["j"]];
  const prefixes: StoreKey[] = [];
  for (const lane of counts.lanes()) {
    if (job_type !== undefined && lane.jobType !== job_type) continue;
    if (queue !== undefined && lane.queue !== queue) continue;
    for (const each of status === undefined ? JOB_STATUSES : [status]) {
      if (lane.counts[each] > 0 && each !== "processing") {
        prefixes.push(laneKey(each, lane.queue, lane.jobType));
      }
    }
  }
  return prefixes.length > MAX_LANES ? [["j"]] : prefixes;
}

function lowestId({ createdAfter }: JobFilter): string {
  return createdAfter === undefined ? "" : firstIdAt(createdAfter - ID_MARGIN_MS);
}

function highestId({ createdBefore }: JobFilter, after: string | undefined): string {
  const bound = createdBefore === undefined ? "~" : firstIdAt(createdBefore + ID_MARGIN_MS);
  return after !== undefined && after < bound ? after : bound;
}

function matches(state: JobState, filter: JobFilter): boolean {
  return (filter.status === undefined || statusOf(state.phase) === filter.status) &&
    (filter.job_type === undefined || state.jobType === filter.job_type) &&
    (filter.queue === undefined || state.queue === filter.queue) &&
    (filter.priority === undefined || state.priority === filter.priority) &&
    (filter.tag === undefined || state.tags.includes(filter.tag)) &&
    (filter.createdAfter === undefined || state.createdAt > filter.createdAfter) &&
    (filter.createdBefore === undefined || state.createdAt < filter.createdBefore);
}
