/**
 * Reads jobs from the store: their rows, or the events that stand for them (`job/stored.ts`).
 *
 * @module
 */
import type { EventLog } from "../events/event_log.ts";
import type { Store, StoreKey } from "../events/store.ts";
import { jobStream } from "./job/events.ts";
import { evolve } from "./job/evolve.ts";
import { positionIn } from "./job/id.ts";
import { rowKey, tombstoneKey } from "./job/keys.ts";
import type { JobChange } from "./job/projector.ts";
import { decodeRow } from "./job/row.ts";
import type { RunningJobs } from "./job/running.ts";
import type { JobState } from "./job/state.ts";

export interface StoredJobsOptions {
  readonly store: Store;
  readonly log: Pick<EventLog<JobChange>, "find">;
  readonly running: RunningJobs;
}

/** Deno KV reads ten keys at a time, so fewer are as quick one by one. */
const WORTH_A_RANGE = 20;

export class StoredJobs {
  readonly #options: StoredJobsOptions;

  constructor(options: StoredJobsOptions) {
    this.#options = options;
  }

  /** The committed states, deleted jobs' too, in the order of the ids; `null` where there is no such job. */
  async read(ids: readonly string[]): Promise<(JobState | null)[]> {
    const { running } = this.#options;
    const before = ids.map((id) => running.startOf(id));
    const states = await this.#rows(ids, rowKey);
    // A job that was started or ended while the rows were read is shown as it was before or after, not in between.
    const starts = ids.map((id, i) => running.startOf(id) ?? before[i]!);
    await this.#fill(states, ids, (missing) => this.#rows(missing, tombstoneKey));
    await this.#fill(states, ids, (missing) => this.#created(missing));
    await this.#start(states, starts);
    return states;
  }

  async #rows(ids: readonly string[], keyOf: (id: string) => StoreKey): Promise<(JobState | null)[]> {
    const inRange = ids.length < WORTH_A_RANGE ? undefined : await this.#rowsInRange(ids, keyOf);
    const rows = inRange ?? await this.#options.store.getMany(ids.map(keyOf));
    return rows.map((row) => row && decodeRow(row));
  }

  /** Many ids that were created one after another are one range; `undefined` when too much else lies in it. */
  async #rowsInRange(
    ids: readonly string[],
    keyOf: (id: string) => StoreKey,
  ): Promise<(Uint8Array | null)[] | undefined> {
    const sorted = [...ids].sort();
    const start = keyOf(sorted[0]!);
    const end = [...keyOf(sorted.at(-1)!), ""];
    const limit = 2 * ids.length;
    const entries = await this.#options.store.list({ prefix: start.slice(0, 1), start, end }, { limit });
    if (entries.length === limit) return undefined;
    const found = new Map(entries.map(({ key, value }) => [key[1], value]));
    return ids.map((id) => found.get(id) ?? null);
  }

  async #fill(
    states: (JobState | null)[],
    ids: readonly string[],
    read: (missing: readonly string[]) => Promise<(JobState | null)[]>,
  ): Promise<void> {
    const missing = ids.filter((_, i) => states[i] === null);
    if (missing.length === 0) return;
    const found = (await read(missing)).values();
    states.forEach((state, i) => {
      if (state === null) states[i] = found.next().value ?? null;
    });
  }

  /** Jobs of one event; the id of a job that does not exist leads to another's event, or to none. */
  async #created(ids: readonly string[]): Promise<(JobState | null)[]> {
    const events = await this.#options.log.find(ids.map(positionIn));
    return events.map((stored, i) =>
      stored?.event.stream === jobStream(ids[i]!) ? evolve(null, stored) : null
    );
  }

  /** Adds the starts that the rows lack; by now a row may have it, or more. */
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
