/**
 * Counts of jobs by queue, type and status, and of jobs that became final by minute: kept as rows, so that no question
 * about them counts anything.
 *
 * Memory holds the counts of every queue and type that was ever used and of the last hour's minutes.
 *
 * @module
 */
import type { Store, StoreEntry } from "../../events/store.ts";
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
      this.#lanes.set(laneId(queue, jobType), { queue, jobType, counts: decodeJson(value) });
    }
    const first = Math.floor(now / MINUTE_MS) - MINUTES_KEPT;
    const minutes = await store.list({ prefix: ["m"], start: minuteKey(first) }, {
      limit: 10 * MINUTES_KEPT,
    });
    for (const { key, value } of minutes) this.#minutes.set(key[1] as number, decodeJson(value));
  }

  /** The rows that these changes make of the counts; remembered until {@linkcode landed}. */
  project(changes: Iterable<{ before: JobState | null; after: JobState }>): StoreEntry[] {
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
    return [
      ...[...lanes.changed.values()].map(({ queue, jobType, counts }) => ({
        key: countsKey(queue, jobType),
        value: encodeJson(counts),
      })),
      ...[...minutes].map(([minute, counts]) => ({ key: minuteKey(minute), value: encodeJson(counts) })),
    ];
  }

  landed(): void {
    if (!this.#next) return;
    for (const [id, lane] of this.#next.lanes) this.#lanes.set(id, lane);
    for (const [minute, counts] of this.#next.minutes) this.#minutes.set(minute, counts);
    if (this.#minutes.size > 2 * MINUTES_KEPT) {
      const oldest = Math.max(...this.#minutes.keys()) - MINUTES_KEPT;
      for (const minute of this.#minutes.keys()) if (minute < oldest) this.#minutes.delete(minute);
    }
    this.#next = undefined;
  }

  /** Every queue and type that has or had jobs. */
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

function noFinals(): FinalCounts {
  return { completed: 0, failed: 0, cancelled: 0 };
}

function laneId(queue: string, jobType: string): string {
  return `${queue}\0${jobType}`;
}
