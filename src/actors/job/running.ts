/**
 * The jobs that are being processed, in one row: of a job that was only started the position of its `job.started`, which
 * stands for its row, of any other its id.
 *
 * There are never more than slots, and every job passes through: one small row for each commit costs less than an index
 * entry put and deleted for each job.
 *
 * @module
 */
import type { EventLog } from "../../events/event_log.ts";
import type { Store, StoreEntry, StoreKey } from "../../events/store.ts";
import { jobIdOf } from "./events.ts";
import { decodeJson, encodeJson } from "./row.ts";
import { type JobState, statusOf } from "./state.ts";
import { isJustStarted } from "./stored.ts";

export const RUNNING_KEY: StoreKey = ["r"];

/** Position of the `job.started` to add to the job's first event; `null` when the job has a row. */
export type Start = number | null;

export class RunningJobs {
  #starts = new Map<string, Start>();
  /** What the batch under way makes of them. */
  #next: Map<string, Start> | undefined;

  /**
   * Reads the row as it was last committed.
   *
   * @throws {Error} If it is damaged; says what to do.
   */
  async load(store: Store, log: Pick<EventLog<unknown>, "find">): Promise<void> {
    const { value } = await store.get(RUNNING_KEY);
    const running = value ? decodeJson<unknown>(value) : [];
    if (!Array.isArray(running)) throw damaged();
    const events = (await log.find(running.filter((each) => typeof each === "number"))).values();
    for (const each of running) {
      if (typeof each === "string") this.#starts.set(each, null);
      else {
        const stream = events.next().value?.event.stream;
        if (stream === undefined) throw damaged();
        this.#starts.set(jobIdOf(stream), each);
      }
    }
  }

  get ids(): Iterable<string> {
    return this.#starts.keys();
  }

  /** As {@linkcode Start}; `null` also when the job does not run. */
  startOf(id: string): Start {
    return this.#starts.get(id) ?? null;
  }

  /** The row that these changes make, at most one of each job; remembered until {@linkcode landed}. */
  project(changes: Iterable<{ after: JobState }>): StoreEntry[] {
    this.#next = undefined;
    for (const { after } of changes) {
      const start = runningStart(after);
      if (this.#starts.get(after.id) === start) continue;
      this.#next ??= new Map(this.#starts);
      if (start === undefined) this.#next.delete(after.id);
      else this.#next.set(after.id, start);
    }
    return this.#next ? [runningEntry(this.#next)] : [];
  }

  landed(): void {
    this.#starts = this.#next ?? this.#starts;
    this.#next = undefined;
  }
}

function damaged(): Error {
  return new Error("The row of running jobs is damaged: `deno task audit replay --repair` writes it anew");
}

export function runningEntry(jobs: Iterable<readonly [id: string, start: Start]>): StoreEntry {
  const starts: number[] = [];
  const ids: string[] = [];
  for (const [id, start] of jobs) {
    if (start === null) ids.push(id);
    else starts.push(start);
  }
  starts.sort((a, b) => a - b);
  return { key: RUNNING_KEY, value: encodeJson([...starts, ...ids.sort()]) };
}

/** What the row says of a job in this state; `undefined` when it is not being processed. */
export function runningStart(state: JobState): Start | undefined {
  if (statusOf(state.phase) !== "processing") return undefined;
  return isJustStarted(state) ? state.positions.at(-1)! : null;
}
