/**
 * The attempts that run: fills free slots with due jobs, runs their handlers, records how each ended.
 *
 * A handler begins only when its `job.started` is on disk. The outcome of one job and the start of the slot's next share
 * a commit. An outcome that the log cannot take is kept and written when it can.
 *
 * @module
 */
import type { StagedAppend } from "../events/append.ts";
import { type Clock, sleep } from "../events/clock.ts";
import { LogFencedError, LogUnavailableError, UnknownOutcomeError } from "../events/errors.ts";
import type { EventMeta } from "../events/event.ts";
import type { EventLog } from "../events/event_log.ts";
import type { HandlerContext, HandlerServices, JsonObject } from "../handlers/handler.ts";
import { Attempt } from "./attempt.ts";
import { JobNotFoundError, TransitionRefusedError } from "./errors.ts";
import type { JobCommand } from "./job/commands.ts";
import type { JobProgress } from "./job/job.ts";
import type { JobChange } from "./job/projector.ts";
import type { Held, JobState } from "./job/state.ts";
import type { JobProcessor } from "./job_processor.ts";
import type { JobScheduler } from "./job_scheduler.ts";
import type { JobStates } from "./job_states.ts";
import type { JobTypeRegistry } from "./job_type_registry.ts";
import { failed } from "./outcome.ts";

export interface AttemptPoolOptions {
  readonly log: EventLog<JobChange>;
  readonly states: JobStates;
  readonly processor: JobProcessor;
  readonly scheduler: JobScheduler;
  readonly jobTypes: JobTypeRegistry;
  readonly services: HandlerServices;
  readonly clock: Clock;
  /** How many handlers run at once. */
  readonly concurrency: number;
  /** Where handlers' own log lines go. */
  readonly handlerLog: (jobId: string, jobType: string) => HandlerContext["log"];
  /** A job that was chosen could not be read; whoever chooses must find it again. */
  readonly onUnreadable: (error: unknown) => void;
  /** Told of what must not happen. */
  readonly onError: (error: unknown) => void;
}

export const SUPERVISOR: EventMeta = {
  actor: "supervisor",
  request_id: null,
  causation_id: null,
  reason: null,
};

/** A clock that was set forward is noticed within this time. */
const LONGEST_NAP_MS = 60_000;
/** Between two tries to write an outcome, when it was not the log that refused. */
const RECORD_PAUSE_MS = 1_000;

export class AttemptPool {
  readonly #options: AttemptPoolOptions;
  /** Jobs whose start is staged. */
  readonly #starting = new Set<string>();
  /** Jobs whose state or payload is being read. */
  readonly #reading = new Set<string>();
  readonly #running = new Map<string, Attempt>();
  /** Outcomes that are not on disk yet. */
  readonly #recording = new Set<Promise<void>>();
  readonly #idleWaiters: (() => void)[] = [];
  readonly #healthWaiters: (() => void)[] = [];
  #open = false;
  /** When handlers must have let go, by the monotonic clock; `undefined` while nothing shuts down. */
  #letGoAt: number | undefined;
  #timer: unknown;
  #processed = 0;

  constructor(options: AttemptPoolOptions) {
    this.#options = options;
    options.log.listen({
      landed: (appends) => this.#landed(appends),
      reset: () => {
        this.#starting.clear();
        this.#wake();
      },
      health: () => this.#healthWaiters.splice(0).forEach((resolve) => resolve()),
    });
  }

  /** Attempts whose outcome was recorded since the start. */
  get processed(): number {
    return this.#processed;
  }

  /** Attempts whose handlers run and hold a slot. */
  get running(): number {
    return this.#running.size;
  }

  /** From now on free slots are filled. */
  open(): void {
    this.#open = true;
    this.#letGoAt = undefined;
    this.fill();
  }

  /** Starts nothing any more. */
  close(): void {
    this.#open = false;
    this.#options.clock.clearTimeout(this.#timer);
  }

  /** Starts due jobs while there are free slots, and sets the timer for the next. */
  fill(): void {
    const { scheduler, states, log } = this.#options;
    while (this.#open && this.#free > 0 && log.health.ok) {
      const id = scheduler.take(this.#now);
      if (id === undefined) break;
      if (this.#isBusy(id)) continue;
      const state = states.peek(id);
      if (state !== undefined) this.#start(id, state);
      else this.#startUnread(id);
    }
    this.#setTimer();
  }

  /** A job that is being created: with a free slot and nothing waiting before it, it starts in the same commit. */
  offer(state: JobState): void {
    const { scheduler, jobTypes } = this.#options;
    const now = this.#now;
    if (!this.#open || this.#free === 0 || state.readyAt > now) return;
    if (!jobTypes.get(state.jobType) || !scheduler.wouldBeNext(now)) return;
    scheduler.chose();
    this.#start(state.id, state);
  }

  /** Resolves when no handler holds a slot and every outcome is on disk. */
  async idle(): Promise<void> {
    while (this.#busy + this.#recording.size > 0) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
  }

  /** Fires the signal of every running handler; what has not let go after `graceMs` is given back. */
  shutDown(graceMs: number): void {
    this.#letGoAt = this.#options.clock.monotonic() + graceMs;
    for (const attempt of [...this.#running.values()]) attempt.shutDown(graceMs);
  }

  get #free(): number {
    return this.#options.concurrency - this.#busy;
  }

  get #busy(): number {
    return this.#running.size + this.#starting.size + this.#reading.size;
  }

  /** What the log would date an event with: a clock that was set back keeps no job waiting. */
  get #now(): number {
    return Math.max(this.#options.clock.now(), this.#options.log.time);
  }

  #isBusy(id: string): boolean {
    return this.#running.has(id) || this.#starting.has(id) || this.#reading.has(id);
  }

  #start(id: string, state: JobState | null): void {
    const { processor, scheduler } = this.#options;
    // It was moved to a later time, and is found there when that has landed.
    if (state && state.readyAt > this.#now) return;
    try {
      const { append } = processor.stage(id, state, { type: "start" }, SUPERVISOR);
      this.#starting.add(id);
      append?.landed.catch((error) => error instanceof LogFencedError && this.#abandonStart(id));
    } catch (error) {
      if (error instanceof LogUnavailableError) scheduler.giveBack(state!);
      else if (!isRefusal(error)) this.#options.onError(error);
    }
  }

  /** The log is another's now. That start will never land, and no `reset` tells so. */
  #abandonStart(id: string): void {
    this.#starting.delete(id);
    this.#wake();
  }

  #startUnread(id: string): void {
    const { states, onUnreadable } = this.#options;
    this.#reading.add(id);
    states.latest(id).then((read) => {
      this.#reading.delete(id);
      if (this.#open) this.#start(id, states.peek(id) ?? read);
    }).catch((error) => {
      this.#reading.delete(id);
      onUnreadable(error);
    }).finally(() => this.#wake());
  }

  #landed(appends: readonly StagedAppend<JobChange>[]): void {
    this.#options.scheduler.landed(appends);
    for (const { change: { after }, events } of appends) {
      if (events.at(-1)!.event.type === "job.started" && this.#starting.delete(after.id)) this.#begin(after);
      if (after.phase === "processing.cancelling") this.#running.get(after.id)?.cancel();
    }
    this.fill();
  }

  #begin(state: JobState): void {
    if ("inline" in state.payload) return this.#run(state, state.payload.inline);
    const { id, attempt } = state;
    this.#reading.add(id);
    readHeld(this.#options.log, state.payload, "payload").then(
      (payload) => {
        this.#reading.delete(id);
        this.#run(state, payload);
      },
      (error) => {
        this.#reading.delete(id);
        this.#record(id, { type: "settle", attempt, outcome: failed(error), progress: null });
      },
    );
  }

  #run(state: JobState, payload: JsonObject): void {
    const { jobTypes, services, clock, scheduler, states, handlerLog } = this.#options;
    const { id, attempt: number, jobType, timeoutSeconds } = state;
    const attempt = new Attempt({
      jobId: id,
      attempt: number,
      jobType: jobTypes.get(jobType)!,
      payload,
      timeoutSeconds,
      services,
      clock,
      log: handlerLog(id, jobType),
      onProgress: (progress) => void this.#progress(id, number, progress),
      onSettled: (outcome, progress, abandoned) => {
        if (abandoned) scheduler.hold(id);
        this.#running.delete(id);
        if (outcome.type !== "released") this.#processed += 1;
        this.#record(id, { type: "settle", attempt: number, outcome, progress });
        this.fill();
      },
      onLate: (outcome) => {
        this.#record(id, { type: "refuse_late_result", attempt: number, outcome });
        scheduler.release(id);
        this.fill();
      },
    });
    this.#running.set(id, attempt);
    attempt.start();
    if (this.#letGoAt !== undefined) attempt.shutDown(Math.max(0, this.#letGoAt - clock.monotonic()));
    // A cancel may have been asked for while the payload was being read.
    if (states.peek(id)?.phase === "processing.cancelling") attempt.cancel();
  }

  async #progress(id: string, attempt: number, { percent, note }: JobProgress): Promise<void> {
    const { states, processor, onError } = this.#options;
    try {
      let state = states.peek(id);
      if (state === undefined) {
        const read = await states.latest(id);
        state = states.peek(id) ?? read;
      }
      processor.stage(id, state, { type: "progress", attempt, percent, note }, SUPERVISOR);
    } catch (error) {
      // Progress that cannot be written is not missed; the next one comes.
      if (!(error instanceof LogUnavailableError) && !isRefusal(error)) onError(error);
    }
  }

  /** Writes an outcome, however long the log takes to take it. */
  #record(id: string, command: JobCommand): void {
    const { states, processor } = this.#options;
    let landed: Promise<void> | undefined;
    try {
      const state = states.peek(id);
      if (state) landed = processor.stage(id, state, command, SUPERVISOR).append?.landed;
    } catch (error) {
      landed = Promise.reject(error);
    }
    const recorded: Promise<void> = this.#untilRecorded(id, command, landed)
      .catch(this.#options.onError)
      .finally(() => {
        this.#recording.delete(recorded);
        this.#wake();
      });
    this.#recording.add(recorded);
  }

  async #untilRecorded(id: string, command: JobCommand, landed: Promise<void> | undefined): Promise<void> {
    const { states, processor, log, clock, onError } = this.#options;
    for (;;) {
      try {
        if (landed) return await landed;
        const read = await states.latest(id);
        const state = states.peek(id) ?? read;
        await processor.stage(id, state, command, SUPERVISOR).append?.landed;
        return;
      } catch (error) {
        if (error instanceof UnknownOutcomeError) {
          if (await error.settled === "landed") return;
        } else if (isRefusal(error) || error instanceof LogFencedError) throw error;
        else if (!(error instanceof LogUnavailableError)) {
          onError(error);
          await sleep(clock, RECORD_PAUSE_MS);
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

  #setTimer(): void {
    const { clock, scheduler, log } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#open || this.#free === 0 || !log.health.ok) return;
    const next = scheduler.nextDueAt();
    if (next === undefined) return;
    const wait = Math.min(Math.max(next - clock.now(), 1), LONGEST_NAP_MS);
    this.#timer = clock.setTimeout(() => this.fill(), wait);
  }

  #wake(): void {
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
    this.fill();
  }
}

/** A payload or result itself, read from its event when it is too large for the row. */
export async function readHeld(
  log: EventLog<JobChange>,
  held: Held,
  field: "payload" | "result",
): Promise<JsonObject> {
  if ("inline" in held) return held.inline;
  const [stored] = await log.readAt([held.position]);
  return (stored!.event.data as Record<typeof field, JsonObject>)[field];
}

function isRefusal(error: unknown): boolean {
  return error instanceof TransitionRefusedError || error instanceof JobNotFoundError;
}
