/**
 * Jobs that wait, in the indexes that the projector writes, on a store in memory, and the log that says which job begins
 * at a position.
 *
 * @module
 */
import { JobCounts } from "../../../src/actors/job/counts.ts";
import { jobStream } from "../../../src/actors/job/events.ts";
import { lowestJobId } from "../../../src/actors/job/id.ts";
import { type JobChange, JobProjector } from "../../../src/actors/job/projector.ts";
import { RunningJobs } from "../../../src/actors/job/running.ts";
import type { JobState } from "../../../src/actors/job/state.ts";
import { WaitingJobs } from "../../../src/actors/job/waiting.ts";
import type { EventEnvelope, StoredEvent } from "../../../src/events/event.ts";
import { MemoryStore } from "../../../src/events/memory_store.ts";
import { created, fold } from "./facts.ts";
import { SlowStore } from "./slow_store.ts";
import { whenReady } from "./when_ready.ts";

const QUEUED = fold(created());

export class WaitingOnDisk {
  readonly memory = new MemoryStore();
  readonly store = new SlowStore(this.memory);
  eventsRead = 0;
  readonly log = {
    find: (positions: readonly number[]) => {
      this.eventsRead += positions.length;
      return Promise.resolve(positions.map((at) => this.#firsts[at]));
    },
  };
  readonly #firsts: StoredEvent[] = [];
  readonly #projector = new JobProjector(new JobCounts(), new RunningJobs(), new WaitingJobs(this.memory));
  readonly #jobs = new Map<string, JobState>();
  #versionstamp: string | null = null;

  /** A job whose first event is at this position, by default the next; it waits since then unless `fields` says otherwise. */
  newJob(time: number, fields: Partial<JobState> = {}, position: number = this.#firsts.length): JobState {
    const id = lowestJobId(time, position);
    this.#firsts[position] = { event: { stream: jobStream(id) } as EventEnvelope, bytes: new Uint8Array() };
    return { ...QUEUED, readyAt: time, positions: [position], ...fields, id };
  }

  /** Their states, as the scheduler reads them. */
  readonly read = (jobs: readonly { readonly id: string }[]): Promise<(JobState | null)[]> =>
    Promise.resolve(jobs.map(({ id }) => this.#jobs.get(id) ?? null));

  async land(changes: readonly JobChange[]): Promise<void> {
    const { puts, deletes } = await whenReady(() => this.#projector.project(changes, []));
    const head = { key: ["h"], value: new Uint8Array() };
    this.#versionstamp = await this.memory.commit({
      check: { key: ["h"], versionstamp: this.#versionstamp },
      puts: [...puts, head],
      deletes,
    });
    this.#projector.landed();
    for (const { after } of changes) this.#jobs.set(after.id, after);
  }

  /** Jobs that are created, and others that leave. */
  async write(added: readonly JobState[], removed: readonly { readonly id: string }[] = []): Promise<void> {
    for (const state of added) this.#jobs.set(state.id, state);
    const gone = removed.map(({ id }) => this.#jobs.get(id)!);
    await this.land([
      ...added.map((after) => ({ before: null, after })),
      ...gone.map((before) => ({ before, after: { ...before, phase: "deleted" as const } })),
    ]);
  }
}
