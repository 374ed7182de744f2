/**
 * Reads jobs from the store: the first event of each, and what the rest of its state is in (`job/stored.ts`).
 *
 * @module
 */
import type { StoredEvent } from "../events/event.ts";
import type { EventLog } from "../events/event_log.ts";
import type { Store, StoreKey } from "../events/store.ts";
import { jobStream } from "./job/events.ts";
import { evolve } from "./job/evolve.ts";
import { positionIn } from "./job/id.ts";
import { JOB_STATUSES } from "./job/job.ts";
import { laneKey, rowKey, tombstoneKey } from "./job/keys.ts";
import type { JobChange } from "./job/projector.ts";
import { decodeRow } from "./job/row.ts";
import type { RunningJobs, Start } from "./job/running.ts";
import type { JobState } from "./job/state.ts";

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
  /** The job's first event, if it is at hand. */
  readonly first?: StoredEvent;
}

/** Deno KV reads ten keys at a time, so fewer are as quick one by one. */
const WORTH_A_RANGE = 20;
/** The statuses of jobs that have entries in the lists. */
const LISTED = JOB_STATUSES.filter((status) => status !== "processing");

export class StoredJobs {
  readonly #options: StoredJobsOptions;

  constructor(options: StoredJobsOptions) {
    this.#options = options;
  }

  /** The committed states, deleted jobs' too, in the same order; `null` where there is no such job. */
  async read(jobs: readonly FoundJob[]): Promise<(JobState | null)[]> {
    const { running } = this.#options;
    const before = jobs.map(({ id }) => running.startOf(id));
    const origins = await this.#origins(jobs);
    const rows = await this.#rows(jobs, origins, before);
    // A job that was started or ended while it was read is shown as it was before or after, not in between.
    const starts = jobs.map(({ id }, i) => running.startOf(id) ?? before[i]!);
    const states = rows.map((row, i) => row ? decodeRow(row, origins[i]!) : origins[i]!);
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

  async #rows(
    jobs: readonly FoundJob[],
    origins: readonly (JobState | null)[],
    starts: readonly Start[],
  ): Promise<(Uint8Array | null)[]> {
    const own = jobs.filter(({ entry }, i) => entry?.length === 0 && starts[i] === null);
    const ownRows = (await this.#ownRows(own.map(({ id }) => id))).values();
    return await Promise.all(jobs.map(({ id, entry }, i) => {
      if (starts[i] !== null) return null;
      if (entry === undefined) return this.#rowAnywhere(id, origins[i]!);
      return entry.length > 0 ? entry : ownRows.next().value ?? null;
    }));
  }

  /** The rows of jobs that have none in the lists. */
  async #ownRows(ids: readonly string[]): Promise<(Uint8Array | null)[]> {
    const inRange = ids.length < WORTH_A_RANGE ? undefined : await this.#ownRowsInRange(ids);
    return inRange ?? await this.#options.store.getMany(ids.map(rowKey));
  }

  /** Many ids that were created one after another are one range; `undefined` when too much else lies in it. */
  async #ownRowsInRange(ids: readonly string[]): Promise<(Uint8Array | null)[] | undefined> {
    const sorted = [...ids].sort();
    const start = rowKey(sorted[0]!);
    const end = [...rowKey(sorted.at(-1)!), ""];
    const limit = 2 * ids.length;
    const entries = await this.#options.store.list({ prefix: start.slice(0, 1), start, end }, { limit });
    if (entries.length === limit) return undefined;
    const found = new Map(entries.map(({ key, value }) => [key[1], value]));
    return ids.map((id) => found.get(id) ?? null);
  }

  /** All places where the row may be are read at once, so that a job which moves is found in one of them. */
  async #rowAnywhere(id: string, origin: JobState | null): Promise<Uint8Array | null> {
    const keys: StoreKey[] = [rowKey(id), tombstoneKey(id)];
    if (origin) {
      for (const status of LISTED) keys.push([...laneKey(status, origin.queue, origin.jobType), id]);
    }
    const values = await this.#options.store.getMany(keys);
    return values.find((value) => value !== null && value.length > 0) ?? null;
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
