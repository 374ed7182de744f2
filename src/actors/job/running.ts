/**
 * The ids of the jobs that are being processed, in one row.
 *
 * There are never more than slots, and every job passes through: one small row for each commit costs less than an index
 * entry put and deleted for each job.
 *
 * @module
 */
import type { Store, StoreEntry, StoreKey } from "../../events/store.ts";
import { decodeJson, encodeJson } from "./row.ts";
import { type JobState, statusOf } from "./state.ts";

const KEY: StoreKey = ["r"];

export class RunningJobs {
  #ids = new Set<string>();
  /** What the batch under way makes of it. */
  #next: Set<string> | undefined;

  /** Reads the ids as they were last committed. */
  async load(store: Store): Promise<void> {
    const { value } = await store.get(KEY);
    if (value) this.#ids = new Set(decodeJson<string[]>(value));
  }

  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  /** The row that these changes make; remembered until {@linkcode landed}. */
  project(changes: Iterable<{ before: JobState | null; after: JobState }>): StoreEntry[] {
    let next: Set<string> | undefined;
    for (const { after } of changes) {
      const runs = statusOf(after.phase) === "processing";
      if (runs === (next ?? this.#ids).has(after.id)) continue;
      next ??= new Set(this.#ids);
      if (runs) next.add(after.id);
      else next.delete(after.id);
    }
    this.#next = next;
    return next ? [{ key: KEY, value: encodeJson([...next]) }] : [];
  }

  landed(): void {
    if (this.#next) this.#ids = this.#next;
    this.#next = undefined;
  }
}
