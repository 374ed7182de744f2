/**
 * The jobs that are being processed, in one row: each id with the position of the `job.started` that is to be added to
 * the job's first event, `null` when the job has a row.
 *
 * There are never more than slots, and every job passes through: one small row for each commit costs less than an index
 * entry put and deleted for each job.
 *
 * @module
 */
import type { Store, StoreEntry, StoreKey } from "../../events/store.ts";
import { decodeJson, encodeJson } from "./row.ts";
import { type JobState, statusOf } from "./state.ts";
import { isJustStarted } from "./stored.ts";

export const RUNNING_KEY: StoreKey = ["r"];

export class RunningJobs {
  #starts = new Map<string, number | null>();
  /** What the batch under way makes of it. */
  #next: Map<string, number | null> | undefined;

  /** Reads the row as it was last committed. */
  async load(store: Store): Promise<void> {
    const { value } = await store.get(RUNNING_KEY);
    if (value) this.#starts = new Map(Object.entries(decodeJson<Record<string, number | null>>(value)));
  }

  get ids(): Iterable<string> {
    return this.#starts.keys();
  }

  /** Position of the `job.started` to add to the job's first event; `null` when the job has a row, or does not run. */
  startOf(id: string): number | null {
    return this.#starts.get(id) ?? null;
  }

  /** The row that these changes make; remembered until {@linkcode landed}. */
  project(changes: Iterable<{ before: JobState | null; after: JobState }>): StoreEntry[] {
    let next: Map<string, number | null> | undefined;
    for (const { after } of changes) {
      const was = (next ?? this.#starts).get(after.id);
      const is = runningStart(after);
      if (was === is) continue;
      next ??= new Map(this.#starts);
      if (is === undefined) next.delete(after.id);
      else next.set(after.id, is);
    }
    this.#next = next;
    return next ? [{ key: RUNNING_KEY, value: encodeJson(Object.fromEntries(next)) }] : [];
  }

  landed(): void {
    if (this.#next) this.#starts = this.#next;
    this.#next = undefined;
  }
}

/** What the row says of a job in this state; `undefined` when it is not being processed. */
export function runningStart(state: JobState): number | null | undefined {
  if (statusOf(state.phase) !== "processing") return undefined;
  return isJustStarted(state) ? state.positions.at(-1)! : null;
}
