/**
 * The command processor: state, command, decision, append.
 *
 * Deciding and staging are one synchronous step, so no two decisions on a job can miss each other; the stream's
 * expected version stands behind that. What is told to a caller rests on what is on disk.
 *
 * @module
 */
import type { StagedAppend } from "../events/append.ts";
import type { Clock } from "../events/clock.ts";
import type { EventMeta } from "../events/event.ts";
import type { EventLog } from "../events/event_log.ts";
import {
  isRefusal,
  JobChangedError,
  JobNotFoundError,
  TransitionRefusedError,
  VersionMismatchError,
} from "./errors.ts";
import type { JobCommand } from "./job/commands.ts";
import { decide } from "./job/decide.ts";
import { jobStream } from "./job/events.ts";
import { evolve } from "./job/evolve.ts";
import { newJobId } from "./job/id.ts";
import type { JobChange } from "./job/projector.ts";
import { type JobState, statusOf } from "./job/state.ts";
import type { JobStates } from "./job_states.ts";

export interface JobProcessorOptions {
  readonly log: EventLog<JobChange>;
  readonly states: JobStates;
  readonly clock: Clock;
  /** Draws from [0, 1). */
  readonly random: () => number;
}

/** A command that was decided; `append` is absent when the wish was already true. */
export interface Decided {
  readonly before: JobState | null;
  readonly after: JobState;
  readonly append: StagedAppend<JobChange> | undefined;
}

export class JobProcessor {
  readonly #options: JobProcessorOptions;

  constructor(options: JobProcessorOptions) {
    this.#options = options;
    const { log, states } = options;
    log.listen({ landed: (appends) => states.landed(appends), reset: () => states.reset() });
  }

  /**
   * Decides on a job whose latest state is at hand, and stages the events.
   *
   * @throws {TransitionRefusedError} If the machine has no such transition.
   * @throws {LogUnavailableError} If the log takes no writes now.
   */
  stage(id: string, state: JobState | null, command: JobCommand, meta: EventMeta): Decided {
    const { log, states, clock, random } = this.#options;
    const decision = decide(state, command, { now: Math.max(clock.now(), log.time), random: random() });
    if ("refused" in decision) {
      if (state === null) throw new JobNotFoundError(id);
      throw new TransitionRefusedError(id, decision.refused.deed, statusOf(decision.refused.phase));
    }
    if (decision.events.length === 0) return { before: state, after: state!, append: undefined };
    let after = state;
    const append = log.append({
      stream: jobStream(id),
      expectedVersion: state?.version ?? 0,
      events: decision.events,
      meta: answering(state, meta),
      change: (stored) => {
        after = stored.reduce<JobState | null>(evolve, state);
        return { before: state, after: after! };
      },
    });
    states.staged(id, state, after!, append);
    return { before: state, after: after!, append };
  }

  /** Stages the creation of a job. Its id names place and time of its first event, so nothing may come between the two. */
  create(command: JobCommand & { readonly type: "create" }, meta: EventMeta): Decided {
    const { log } = this.#options;
    const id = newJobId(log.tick(), log.nextPosition);
    return this.stage(id, null, command, meta);
  }

  /**
   * Decides on a job and answers when the decision is on disk.
   *
   * @param expected The version that the caller believes the job to have, or what tells whether it is still meant.
   * @throws {JobNotFoundError} If there is no such job, or it was deleted.
   * @throws {VersionMismatchError | JobChangedError} If the job is not as expected.
   * @throws {TransitionRefusedError} If the machine has no such transition.
   * @throws {LogUnavailableError | UnknownOutcomeError} If the log could not take the write.
   */
  async execute(
    id: string,
    command: JobCommand,
    meta: EventMeta,
    expected?: number | ((state: JobState) => boolean),
  ): Promise<Decided> {
    const { states } = this.#options;
    const peeked = states.peek(id);
    const state = peeked !== undefined ? peeked : await this.#latest(id);
    try {
      if (state === null || state.phase === "deleted") throw new JobNotFoundError(id);
      if (typeof expected === "number" && expected !== state.version) {
        throw new VersionMismatchError(id, expected, state.version);
      }
      if (typeof expected === "function" && !expected(state)) throw new JobChangedError(id);
      const pending = states.pendingAppend(id);
      const decided = this.stage(id, state, command, meta);
      await (decided.append ?? pending)?.landed;
      return decided;
    } catch (error) {
      // A refusal that rests on what is only staged is told when that is on disk.
      if (isRefusal(error)) await states.pendingAppend(id)?.landed;
      throw error;
    }
  }

  /** After reading, the state is taken from memory again: it may have changed while the answer was on its way. */
  async #latest(id: string): Promise<JobState | null> {
    const read = await this.#options.states.latest(id);
    const now = this.#options.states.peek(id);
    return now !== undefined ? now : read;
  }
}

/** What the system does by itself answers the job's last event. */
function answering(state: JobState | null, meta: EventMeta): EventMeta {
  const last = state?.positions.at(-1);
  const isAnswer = meta.request_id === null && meta.causation_id === null && last !== undefined;
  return isAnswer ? { ...meta, causation_id: String(last) } : meta;
}
