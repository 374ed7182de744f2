/**
 * The view of all entries that end in a job's id: rows, lists, tags, the order of choice.
 *
 * Those that should be there were compared with the fold before; here is what should not.
 *
 * @module
 */
import type { StoreEntry } from "../events/store.ts";
import type { EarlyEntries } from "./early_entries.ts";
import type { Findings } from "./findings.ts";
import { hasEntry } from "./job_shapes.ts";
import type { RestingJobs } from "./resting_jobs.ts";
import type { View } from "./view.ts";

export class JobEntries implements View {
  /** Those that no other view has. */
  readonly prefixes = [];
  readonly #jobs: RestingJobs;
  readonly #findings: Findings;
  readonly #early: EarlyEntries;
  #found: ReadonlyMap<string, number> | undefined;

  constructor(jobs: RestingJobs, findings: Findings, early: EarlyEntries) {
    this.#jobs = jobs;
    this.#findings = findings;
    this.#early = early;
  }

  found(prefix: string): number {
    this.#found ??= this.#count();
    return this.#found.get(prefix) ?? 0;
  }

  async check({ key, value }: StoreEntry): Promise<void> {
    const shape = this.#jobs.shapeOf(key.at(-1) as string);
    const isRight = shape ? hasEntry(shape, key) : this.#early.has(key);
    if (!isRight) await this.#findings.differs(key, value, null);
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  #count(): Map<string, number> {
    const counts = new Map<string, number>();
    const add = (prefix: string, count: number) => counts.set(prefix, (counts.get(prefix) ?? 0) + count);
    for (const [, { row, indexes }] of this.#jobs.shapes()) {
      if (row) add(row[0] as string, 1);
      for (const { lane } of indexes) add(lane[0] as string, 1);
    }
    for (const [prefix, count] of this.#jobs.missing) add(prefix, -count);
    return counts;
  }
}
