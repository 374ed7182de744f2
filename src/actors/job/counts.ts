/**
 * Counts of jobs by queue, type and status, and of jobs that became final by minute: kept as rows, so that no question
 * about them counts anything.
 *
 * Memory holds the counts of every queue and type that has jobs and of the last hour's minutes. Names come and go, a queue for
 * each customer or day perhaps: what has no jobs any more is forgotten.
 *
 * @module
 */
import type { Mutations } from "../../events/append.ts";
import type { Store } from "../../events/store.ts";
import { JOB_STATUSES, type JobStatus } from "./job.ts";
import { countsKey, minuteKey } from "./keys.ts";
import { decodeJson, encodeJson } from "./row.ts";
import { isFinal, type JobState, statusOf } from "./state.ts";

export type StatusCounts = Record<JobStatus, number>;
export type FinalCounts = Record<"completed" | "failed" | "cancelled", number>;

const MINUTE_MS = 60_000;
const MINUTES_KEPT = 61;

interface Lane {
  readonly queue: string;
  readonly jobType: string;
  readonly counts: StatusCounts;
}

/** Copies of the lanes whose counts a batch changes. */
class ChangedLanes {
  readonly changed = new Map<string, Lane>();
  readonly #known: ReadonlyMap<string, Lane>;
  /** Neighbours in a batch are mostly of one lane. */
  #last: Lane | undefined;

  constructor(known: ReadonlyMap<string, Lane>) {
    this.#known = known;
  }

  countsOf({ queue, jobType }: JobState): StatusCounts {
    if (this.#last?.queue !== queue || this.#last.jobType !== jobType) {
      this.#last = this.#laneOf(queue, jobType);
    }
    return this.#last.counts;
  }

  #laneOf(queue: string, jobType: string): Lane {
    const id = laneId(queue, jobType);
    let lane = this.changed.get(id);
    if (!lane) {
      lane = { queue, jobType, counts: { ...(this.#known.get(id)?.counts ?? noCounts()) } };
      this.changed.set(id, lane);
    }
    return lane;
  }
}

export class JobCounts {
  #lanes = new Map<string, Lane>();
  #minutes = new Map<number, FinalCounts>();
  /** What the batch under way makes of them. */
  #next: { lanes: Map<string, Lane>; minutes: Map<number, FinalCounts> } | undefined;

  /** Reads the counts as they were last committed. */
  async load(store: Store, now: number): Promise<void> {
    const lanes = await store.list({ prefix: ["c"] }, { limit: Number.MAX_SAFE_INTEGER });
    for (const { key, value } of lanes) {
      const [, queue, jobType] = key as [string, string, string];
      const counts = decodeJson<StatusCounts>(value);
      if (!isEmpty(counts)) this.#lanes.set(laneId(queue, jobType), { queue, jobType, counts });
    }
    const first = Math.floor(now / MINUTE_MS) - MINUTES_KEPT;
    const minutes = await store.list({ prefix: ["m"], start: minuteKey(first) }, {
      limit: 10 * MINUTES_KEPT,
    });
    for (const { key, value } of minutes) this.#minutes.set(key[1] as number, decodeJson(value));
  }

  /** What these changes make of the rows; remembered until {@linkcode landed}. */
  project(changes: Iterable<{ before: JobState | null; after: JobState }>): Mutations {
    const lanes = new ChangedLanes(this.#lanes);
    const minutes = new Map<number, FinalCounts>();
    for (const { before, after } of changes) {
      if (before && before.phase !== "deleted") {
        lanes.countsOf(before)[statusOf(before.phase)] -= 1;
      }
      if (after.phase !== "deleted") lanes.countsOf(after)[statusOf(after.phase)] += 1;
      if (isFinal(after.phase) && after.phase !== "deleted" && !(before && isFinal(before.phase))) {
        this.#minuteOf(minutes, after.completedAt!)[after.phase as keyof FinalCounts] += 1;
      }
    }
    this.#next = { lanes: lanes.changed, minutes };
    const mutations: Mutations = { puts: [], deletes: [] };
    for (const { queue, jobType, counts } of lanes.changed.values()) {
      const key = countsKey(queue, jobType);
      if (isEmpty(counts)) mutations.deletes.push(key);
      else mutations.puts.push({ key, value: encodeJson(counts) });
    }
    for (const [minute, counts] of minutes) {
      mutations.puts.push({ key: minuteKey(minute), value: encodeJson(counts) });
    }
    return mutations;
  }

  landed(): void {
    if (!this.#next) return;
    for (const [id, lane] of this.#next.lanes) {
      if (isEmpty(lane.counts)) this.#lanes.delete(id);
      else this.#lanes.set(id, lane);
    }
    for (const [minute, counts] of this.#next.minutes) this.#minutes.set(minute, counts);
    if (this.#minutes.size > 2 * MINUTES_KEPT) {
      const oldest = Math.max(...this.#minutes.keys()) - MINUTES_KEPT;
      for (const minute of this.#minutes.keys()) if (minute < oldest) this.#minutes.delete(minute);
    }
    this.#next = undefined;
  }

  /** Every queue and type that has jobs. */
  lanes(): Iterable<Lane> {
    return this.#lanes.values();
  }

  /** Jobs that became final in the current minute and the `minutes` whole ones before it. */
  finals(now: number, minutes: number): FinalCounts {
    const sum = noFinals();
    const last = Math.floor(now / MINUTE_MS);
    for (let minute = last - minutes; minute <= last; minute++) {
      const counts = this.#minutes.get(minute);
      if (!counts) continue;
      sum.completed += counts.completed;
      sum.failed += counts.failed;
      sum.cancelled += counts.cancelled;
    }
    return sum;
  }

  #minuteOf(changed: Map<number, FinalCounts>, time: number): FinalCounts {
    const minute = Math.floor(time / MINUTE_MS);
    let counts = changed.get(minute);
    if (!counts) changed.set(minute, counts = { ...(this.#minutes.get(minute) ?? noFinals()) });
    return counts;
  }
}

export function noCounts(): StatusCounts {
  return Object.fromEntries(JOB_STATUSES.map((status) => [status, 0])) as StatusCounts;
}

function isEmpty(counts: StatusCounts): boolean {
  for (const status of JOB_STATUSES) if (counts[status] !== 0) return false;
  return true;
}

function noFinals(): FinalCounts {
  return { completed: 0, failed: 0, cancelled: 0 };
}

function laneId(queue: string, jobType: string): string {
  return `${queue}\0${jobType}`;
}
