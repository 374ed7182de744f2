/**
 * Lists of jobs, newest first, from the index that has the fewest entries to pass over.
 *
 * Status, type, queue and tag have an index each; what the chosen one does not tell is checked on the rows it leads to.
 *
 * @module
 */
import { firstIdAt } from "../events/ids.ts";
import type { Store, StoreKey } from "../events/store.ts";
import type { JobCounts } from "./job/counts.ts";
import { rowKey } from "./job/keys.ts";
import { decodeRow } from "./job/row.ts";
import { type JobState, statusOf } from "./job/state.ts";
import type { JobFilter } from "./jobs.ts";

/** An id is drawn a little before its event is dated, so a range of ids is taken this much wider. */
const ID_MARGIN_MS = 2_000;
const PAGE = 100;

/** @param page `after` is the id of the last job of the page before. */
export async function listJobs(
  store: Store,
  counts: JobCounts,
  filter: JobFilter,
  page: { readonly limit: number; readonly after?: string },
): Promise<{ states: JobState[]; next: string | undefined }> {
  const prefix = smallestIndex(counts, filter);
  const start: StoreKey = [...prefix, lowestId(filter)];
  let end: StoreKey = [...prefix, highestId(filter, page.after)];
  const found: JobState[] = [];
  while (found.length <= page.limit) {
    const want = Math.max(PAGE, page.limit + 1);
    const ids = (await store.list({ prefix, start, end }, { limit: want, reverse: true }))
      .map(({ key }) => key.at(-1) as string);
    const rows = await store.getMany(ids.map(rowKey));
    for (const row of rows) {
      const state = row && decodeRow(row);
      if (state && matches(state, filter)) found.push(state);
    }
    if (ids.length < want) break;
    end = [...prefix, ids.at(-1)!];
  }
  const states = found.slice(0, page.limit);
  return { states, next: found.length > page.limit ? states.at(-1)?.id : undefined };
}

/** A tag is taken to be rarer than anything that is counted. */
function smallestIndex(counts: JobCounts, filter: JobFilter): StoreKey {
  const { status, job_type, queue, tag } = filter;
  if (tag !== undefined) return ["g", tag];
  const candidates: { prefix: StoreKey; size: number }[] = [];
  const sum = (count: (lane: Lane) => number) =>
    [...counts.lanes()].reduce((total, lane) => total + count(lane), 0);
  if (status !== undefined) {
    candidates.push({ prefix: ["s", status], size: sum((lane) => lane.counts[status]) });
  }
  if (job_type !== undefined) {
    candidates.push({
      prefix: ["t", job_type],
      size: sum((lane) => lane.jobType === job_type ? total(lane) : 0),
    });
  }
  if (queue !== undefined) {
    candidates.push({ prefix: ["q", queue], size: sum((lane) => lane.queue === queue ? total(lane) : 0) });
  }
  candidates.sort((a, b) => a.size - b.size);
  return candidates[0]?.prefix ?? ["j"];
}

type Lane = ReturnType<JobCounts["lanes"]> extends Iterable<infer T> ? T : never;

function total({ counts }: Lane): number {
  return counts.queued + counts.processing + counts.completed + counts.failed + counts.cancelled;
}

function lowestId({ createdAfter }: JobFilter): string {
  return createdAfter === undefined ? "" : firstIdAt(createdAfter - ID_MARGIN_MS);
}

function highestId({ createdBefore }: JobFilter, after: string | undefined): string {
  const bound = createdBefore === undefined ? "\u{10ffff}" : firstIdAt(createdBefore + ID_MARGIN_MS);
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
