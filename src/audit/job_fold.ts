/**
 * Folds the events of all jobs, and says of each event that is no step of its job's machine.
 *
 * Memory holds the states of the jobs that something happened to last. When they become too many, the older half is laid
 * to rest (`resting_jobs.ts`); an event for a job at rest wakes it.
 *
 * @module
 */
import type { JobState } from "../actors/job/state.ts";
import type { StreamEnd } from "../actors/record_streams.ts";
import { nextPhase } from "../actors/job/transition_table.ts";
import type { EventEnvelope, StoredEvent } from "../events/event.ts";
import type { Findings } from "./findings.ts";
import { evolveChecked } from "./folded_job.ts";
import type { RestingJobs } from "./resting_jobs.ts";

/** Told of every step, in the order of the log. */
export type StepListener = (before: JobState | null, after: JobState, event: EventEnvelope) => void;

export class JobFold {
  readonly #resting: RestingJobs;
  readonly #findings: Findings;
  readonly #mostAwake: number;
  readonly #onStep: StepListener;
  readonly #onRecord: (event: EventEnvelope) => void;
  readonly #awake = new Map<string, JobState>();
  /** Of the streams that are no jobs, where they end. */
  readonly records = new Map<string, StreamEnd>();

  /** @param mostAwake How many states are kept. */
  constructor(
    resting: RestingJobs,
    findings: Findings,
    mostAwake: number,
    onStep: StepListener,
    onRecord: (event: EventEnvelope) => void = () => {},
  ) {
    this.#onRecord = onRecord;
    this.#resting = resting;
    this.#findings = findings;
    this.#mostAwake = mostAwake;
    this.#onStep = onStep;
  }

  /** @param events Those that follow. */
  async apply(events: readonly StoredEvent[]): Promise<void> {
    await this.#wake(events);
    for (const stored of events) {
      if (stored.event.stream.startsWith("job/")) this.#step(stored);
      else this.#checkOther(stored.event);
    }
    if (this.#awake.size > this.#mostAwake) await this.#layOldest();
  }

  /** No events follow: what is awake goes to rest too. */
  async finish(): Promise<void> {
    await this.#resting.settle(this.#awake);
    this.#awake.clear();
  }

  async #wake(events: readonly StoredEvent[]): Promise<void> {
    const streams = new Set<string>();
    for (const { event: { stream } } of events) {
      if (!this.#awake.has(stream) && this.#resting.has(stream)) streams.add(stream);
    }
    if (streams.size === 0) return;
    for (const [stream, state] of await this.#resting.wake([...streams])) this.#awake.set(stream, state);
  }

  #step(stored: StoredEvent): void {
    const { event } = stored;
    const before = this.#awake.get(event.stream) ?? null;
    this.#checkStep(before, event);
    const after = this.#evolve(before, stored);
    if (!after) return;
    this.#awake.set(event.stream, after);
    this.#onStep(before, after, event);
  }

  #checkStep(state: JobState | null, event: EventEnvelope): void {
    this.#checkVersion(state?.version ?? 0, event);
    const { machine_version, position, type, stream } = event;
    const phase = state?.phase ?? "absent";
    if (nextPhase(machine_version, phase, event) === undefined) {
      this.#findings.unlawful(position, `no ${type} can happen to ${stream} while it is ${phase}`);
    } else if (state && state.machineVersion !== machine_version) {
      const created = state.machineVersion;
      this.#findings.unlawful(
        position,
        `it is of machine ${machine_version}, ${stream} of machine ${created}`,
      );
    }
  }

  #checkOther(event: EventEnvelope): void {
    this.#checkVersion(this.records.get(event.stream)?.version ?? 0, event);
    this.records.set(event.stream, { version: event.version, position: event.position });
    this.#onRecord(event);
  }

  #checkVersion(before: number, { position, stream, version }: EventEnvelope): void {
    if (version === before + 1) return;
    this.#findings.unlawful(position, `it is version ${version} of ${stream}, the one before is ${before}`);
  }

  /** Data that no Daybook wrote can be of any form; it changes nothing. */
  #evolve(state: JobState | null, stored: StoredEvent): JobState | null {
    try {
      return evolveChecked(state, stored);
    } catch (error) {
      this.#findings.unlawful(stored.event.position, `its data cannot be read: ${(error as Error).message}`);
      return state;
    }
  }

  async #layOldest(): Promise<void> {
    const oldest = [...this.#awake.entries().take(this.#awake.size - (this.#mostAwake >> 1))];
    for (const [stream] of oldest) this.#awake.delete(stream);
    for (const [stream, state] of await this.#resting.lay(oldest)) this.#awake.set(stream, state);
  }
}
