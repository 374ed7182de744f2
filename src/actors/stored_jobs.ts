/**
 * Reads jobs from the store: the first event of each, and what the rest of its state is in (`job/stored.ts`).
 *
 * @module
 */
import type { StoredEvent } from "../events/event.ts";
import type { EventLog } from "../events/event_log.ts";
import type { Store } from "../events/store.ts";
import { jobStream } from "./job/events.ts";
import { evolve } from "./job/evolve.ts";
import { positionIn } from "./job/id.ts";
import type { JobChange } from "./job/projector.ts";
import { decodeRow } from "./job/row.ts";
import type { RunningJobs, Start } from "./job/running.ts";
import type { JobState } from "./job/state.ts";
import {
  type FoundRow,
  ownRows,
  rowsAnywhere,
  rowsBySearch,
  type Search,
  type SoughtJob,
} from "./row_lookup.ts";

export interface StoredJobsOptions {
  readonly store: Store;
  readonly log: Pick<EventLog<JobChange>, "find">;
  readonly running: RunningJobs;
}

/** A job that is to be read, and what is known of it. */
export interface FoundJob {
  readonly id: string;
  /**
   * Value of its entry in the lists, which is its row, or nothing when that is to be found by the id alone; also nothing
   * when it waits since its creation. Absent when the job may be anywhere.
   */
  readonly entry?: Uint8Array;
  /** Where to look for it, in place of anywhere at once: whoever says so looks again at a job that changes meanwhile. */
  readonly search?: Search;
  /** The job's first event, if it is at hand. */
  readonly first?: StoredEvent;
}

/** How a row is found. */
type Way = "start" | "entry" | "own" | "anywhere" | Search;

export class StoredJobs {
  readonly #options: StoredJobsOptions;

  constructor(options: StoredJobsOptions) {
    this.#options = options;
  }

  /** The committed states, deleted jobs' too, in the same order; `null` where there is no such job, or it is not wanted. */
  async read(jobs: readonly FoundJob[]): Promise<(JobState | null)[]> {
    const { running } = this.#options;
    const before = jobs.map(({ id }) => running.startOf(id));
    const origins = await this.#origins(jobs);
    const rows = await this.#rows(jobs, origins, before);
    // A job that was started or ended while it was read is shown as it was before or after, not in between.
    const starts = jobs.map(({ id }, i) => running.startOf(id) ?? before[i]!);
    const states = rows.map((row, i) => {
      if (row === undefined) return null;
      return row ? decodeRow(row, origins[i]!) : origins[i]!;
    });
    await this.#start(states, starts);
    return states;
  }

  /** Their states after their first events; `null` where the id leads to another job's event, or to none. */
  async #origins(jobs: readonly FoundJob[]): Promise<(JobState | null)[]> {
    const unread = jobs.filter(({ first }) => !first).map(({ id }) => positionIn(id));
    const events = (await this.#options.log.find(unread)).values();
    return jobs.map(({ id, first }) => {
      const stored = first ?? events.next().value;
      return stored?.event.stream === jobStream(id) ? evolve(null, stored) : null;
    });
  }

  /** Read at once for all jobs whose rows are found in the same way. */
  async #rows(
    jobs: readonly FoundJob[],
    origins: readonly (JobState | null)[],
    starts: readonly Start[],
  ): Promise<FoundRow[]> {
    const ways = jobs.map((job, i) => starts[i] === null ? wayTo(job) : "start");
    const sought = jobs.map((job, i) => ({ ...job, origin: origins[i]! }));
    const read = await Promise.all([...new Set(ways)].map(async (way) => {
      const rows = await this.#rowsBy(way, sought.filter((_, i) => ways[i] === way));
      return [way, rows.values()] as const;
    }));
    const found = new Map(read);
    return ways.map((way) => found.get(way)!.next().value);
  }

  async #rowsBy(way: Way, jobs: readonly (FoundJob & SoughtJob)[]): Promise<readonly FoundRow[]> {
    const { store } = this.#options;
    switch (way) {
      case "start":
        return jobs.map(() => null);
      case "entry":
        return jobs.map(({ entry }) => entry);
      case "own":
        return await ownRows(store, jobs.map(({ id }) => id));
      case "anywhere":
        return await rowsAnywhere(store, jobs);
      default:
        return await rowsBySearch(store, jobs, way);
    }
  }

  /** Adds the starts to jobs that have no row; by now one may have it, or more. */
  async #start(states: (JobState | null)[], starts: readonly (number | null)[]): Promise<void> {
    const positions = starts.filter((start) => start !== null);
    if (positions.length === 0) return;
    const found = (await this.#options.log.find(positions)).values();
    starts.forEach((start, i) => {
      if (start === null) return;
      const stored = found.next().value;
      const state = states[i]!;
      if (stored && state && stored.event.version === state.version + 1) states[i] = evolve(state, stored);
    });
  }
}

function wayTo({ entry, search }: FoundJob): Way {
  if (!entry) return search ?? "anywhere";
  return entry.length > 0 ? "entry" : "own";
}
