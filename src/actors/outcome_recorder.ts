/**
 * Writes how attempts ended, however long the log takes to take it.
 *
 * @module
 */
import { type Clock, sleep } from "../events/clock.ts";
import { LogFencedError, LogUnavailableError, UnknownOutcomeError } from "../events/errors.ts";
import type { EventMeta } from "../events/event.ts";
import type { EventLog } from "../events/event_log.ts";
import { isRefusal } from "./errors.ts";
import type { JobCommand } from "./job/commands.ts";
import type { JobChange } from "./job/projector.ts";
import type { JobProcessor } from "./job_processor.ts";
import type { JobStates } from "./job_states.ts";

export interface OutcomeRecorderOptions {
  readonly log: EventLog<JobChange>;
  readonly states: JobStates;
  readonly processor: JobProcessor;
  readonly clock: Clock;
  readonly meta: EventMeta;
  /** Told after each outcome, on disk or refused for good. */
  readonly onRecorded: () => void;
  /** Told of what must not happen. */
  readonly onError: (error: unknown) => void;
}

/** Between two tries, when it was not the log that refused. */
const PAUSE_MS = 1_000;

export class OutcomeRecorder {
  readonly #options: OutcomeRecorderOptions;
  #pending = 0;
  readonly #healthWaiters: (() => void)[] = [];

  constructor(options: OutcomeRecorderOptions) {
    this.#options = options;
    options.log.listen({ health: () => this.#healthWaiters.splice(0).forEach((resolve) => resolve()) });
  }

  /** How many outcomes are not on disk yet. */
  get pending(): number {
    return this.#pending;
  }

  /** Stages the outcome at once when the job is at hand, so that what follows can share its commit. */
  record(id: string, command: JobCommand): void {
    const { states, processor, meta, onError, onRecorded } = this.#options;
    this.#pending += 1;
    const recorded = () => {
      this.#pending -= 1;
      onRecorded();
    };
    const again = (landed?: Promise<void>) =>
      void this.#untilRecorded(id, command, landed).catch(onError).finally(recorded);
    try {
      const state = states.peek(id);
      const landed = state && processor.stage(id, state, command, meta).append?.landed;
      // Nearly always it lands, and every job passes through here.
      if (landed) landed.then(recorded, () => again(landed));
      else again();
    } catch (error) {
      again(Promise.reject(error));
    }
  }

  async #untilRecorded(id: string, command: JobCommand, landed: Promise<void> | undefined): Promise<void> {
    const { states, processor, log, clock, meta, onError } = this.#options;
    for (;;) {
      try {
        if (landed) return await landed;
        const read = await states.latest(id);
        const state = states.peek(id) ?? read;
        await processor.stage(id, state, command, meta).append?.landed;
        return;
      } catch (error) {
        if (error instanceof UnknownOutcomeError) {
          if (await error.settled === "landed") return;
        } else if (isRefusal(error) || error instanceof LogFencedError) throw error;
        else if (!(error instanceof LogUnavailableError)) {
          onError(error);
          await sleep(clock, PAUSE_MS);
        }
        landed = undefined;
        if (!log.health.ok) await this.#healthChanges();
      }
    }
  }

  /** Resolves when the log takes writes again, or says why it never will. */
  #healthChanges(): Promise<void> {
    return new Promise((resolve) => this.#healthWaiters.push(resolve));
  }
}
