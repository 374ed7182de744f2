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
import { JOB_PRIORITIES, JOB_STATUSES } from "./job/job.ts";
import { timeIn } from "./job/id.ts";
import { laneKey } from "./job/keys.ts";
import type { RunningJobs } from "./job/running.ts";
import { type JobState, statusOf } from "./job/state.ts";
import type { JobFilter } from "./jobs.ts";
import type { StoredJobs } from "./stored_jobs.ts";

export interface JobListSources {
  readonly store: Store;
  readonly stored: StoredJobs;
  readonly counts: JobCounts;
  readonly running: RunningJobs;
}

/** An id is drawn a little before its event is dated, so a range of ids is taken this much wider. */
const ID_MARGIN_MS = 2_000;
const LOWEST_ID = firstIdAt(0);
const PAGE = 100;
/** Beyond so many parts it is cheaper to pass over rows. */
const MAX_LANES = 64;

/** @param page `after` is the id of the last job of the page before; `signal` ends the search. */
export async function listJobs(
  sources: JobListSources,
  filter: JobFilter,
  page: { readonly limit: number; readonly after?: string; readonly signal?: AbortSignal },
): Promise<{ states: JobState[]; next: string | undefined }> {
  const prefixes = prefixesFor(sources.counts, filter);
  const due = dueLanes(sources.counts, filter);
  const first = lowestId(filter);
  let end = highestId(filter, page.after);
  const want = Math.max(PAGE, page.limit + 1);
  const found: JobState[] = [];
  while (found.length <= page.limit) {
    page.signal?.throwIfAborted();
    const ids = await newestIds(sources, prefixes, due, first, end, want);
    for (const state of await sources.stored.read(ids)) {
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
  due: readonly StoreKey[],
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
  const waiting = await Promise.all(due.map((lane) => newestDue(store, lane, first, end, want)));
  const ids = new Set([...lists.flat().map(({ key }) => key.at(-1) as string), ...waiting.flat()]);
  // A job may have been started while the index was read, or have ended: it is in one of the two.
  for (const id of [...before, ...running.ids]) if (id >= first && id < end) ids.add(id);
  return [...ids].sort().reverse().slice(0, want);
}

/** Ids under `["d", queue, rank]` that stand there in the order of ids, see `isListedByDue`. */
async function newestDue(
  store: Store,
  lane: StoreKey,
  first: string,
  end: string,
  want: number,
): Promise<string[]> {
  const ids: string[] = [];
  const start = [...lane, timeIn(first || LOWEST_ID), first];
  let before = [...lane, end === "~" ? Number.MAX_SAFE_INTEGER : timeIn(end), end];
  for (;;) {
    const page = await store.list({ prefix: lane, start, end: before }, { limit: want, reverse: true });
    for (const { key } of page) if (timeIn(key[4] as string) === key[3]) ids.push(key[4] as string);
    if (page.length < want || ids.length >= want) return ids;
    before = [...page.at(-1)!.key];
  }
}

function dueLanes(counts: JobCounts, { status, queue, tag, priority }: JobFilter): StoreKey[] {
  if (tag !== undefined || (status !== undefined && status !== "queued")) return [];
  const queues = new Set<string>();
  for (const lane of counts.lanes()) if (lane.counts.queued > 0) queues.add(lane.queue);
  return [...queues].filter((each) => queue === undefined || each === queue).flatMap((each) =>
    JOB_PRIORITIES.flatMap((name, rank) =>
      priority === undefined || priority === name ? [["d", each, rank]] : []
    )
  );
}

function prefixesFor(counts: JobCounts, { status, job_type, queue, tag }: JobFilter): StoreKey[] {
  if (tag !== undefined) return [["g", tag]];
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
  const all = status === undefined && job_type === undefined && queue === undefined;
  if (!all && prefixes.length <= MAX_LANES) return prefixes;
  return [["j"], ...prefixes.filter(([, each]) => each === "queued")];
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
