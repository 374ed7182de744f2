/**
 * The attempts that run: fills free slots with due jobs, runs their handlers, has recorded how each ended.
 *
 * A handler begins only when its `job.started` is on disk. The outcome of one job and the start of the slot's next share
 * a commit.
 *
 * @module
 */
import type { ChangingAppend } from "../events/append.ts";
import type { Clock } from "../events/clock.ts";
import { Deadlines } from "../events/deadlines.ts";
import { LogUnavailableError } from "../events/errors.ts";
import type { EventMeta } from "../events/event.ts";
import type { EventLog } from "../events/event_log.ts";
import type { HandlerContext, HandlerServices, JsonObject } from "../handlers/handler.ts";
import { Attempt } from "./attempt.ts";
import type { AttemptFacts } from "./attempt_context.ts";
import { AttemptSlots, type Slot, SLOT_KINDS, type SlotKind } from "./attempt_slots.ts";
import type { JobProgress } from "./job/job.ts";
import type { JobChange } from "./job/projector.ts";
import type { Held, JobState } from "./job/state.ts";
import type { JobProcessor } from "./job_processor.ts";
import type { JobScheduler } from "./job_scheduler.ts";
import type { JobStates } from "./job_states.ts";
import type { JobTypeRegistry } from "./job_type_registry.ts";
import { failed } from "./outcome.ts";
import { isRefusal } from "./errors.ts";
import { OutcomeRecorder } from "./outcome_recorder.ts";

export interface AttemptPoolOptions {
  readonly log: EventLog<JobChange>;
  readonly states: JobStates;
  readonly processor: JobProcessor;
  readonly scheduler: JobScheduler;
  readonly jobTypes: JobTypeRegistry;
  readonly services: HandlerServices;
  readonly clock: Clock;
  /** How many handlers run at once, that of the reserved queue not counted. */
  readonly concurrency: number;
  /** Where handlers' own log lines go. */
  readonly handlerLog: (jobId: string, jobType: string) => HandlerContext["log"];
  /** Told of a handler that goes on after its grace time: until it stops, its job's next attempt waits. */
  readonly onAbandoned: (attempt: AttemptFacts) => void;
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

export class AttemptPool {
  readonly #options: AttemptPoolOptions;
  readonly #slots: AttemptSlots;
  readonly #recorder: OutcomeRecorder;
  #timeouts: Deadlines;
  readonly #idleWaiters: (() => void)[] = [];
  #open = false;
  /** When handlers must have let go, by the monotonic clock; `undefined` while nothing shuts down. */
  #letGoAt: number | undefined;
  #timer: unknown;
  #processed = 0;

  constructor(options: AttemptPoolOptions) {
    this.#options = options;
    this.#timeouts = new Deadlines(options.clock);
    this.#slots = new AttemptSlots({ ordinary: options.concurrency, reserved: 1 });
    this.#recorder = new OutcomeRecorder({ ...options, meta: SUPERVISOR, onRecorded: () => this.#wake() });
    options.log.listen({
      landed: (appends) => this.#landed(appends),
      reset: () => {
        this.#slots.releaseStarting();
        this.#wake();
      },
    });
  }

  /** Attempts whose outcome was recorded since the start. */
  get processed(): number {
    return this.#processed;
  }

  /** Attempts whose handlers run and hold a slot. */
  get running(): number {
    return this.#slots.attempts().length;
  }

  /** From now on free slots are filled. */
  open(): void {
    this.#open = true;
    this.#timeouts.close();
    this.#timeouts = new Deadlines(this.#options.clock);
    this.#letGoAt = undefined;
    this.fill();
  }

  /** Starts nothing any more. */
  close(): void {
    this.#open = false;
    this.#options.clock.clearTimeout(this.#timer);
    this.#timeouts.close();
  }

  /** Starts due jobs while there are free slots, and sets the timer for the next. */
  fill(): void {
    for (const kind of SLOT_KINDS) this.#fill(kind);
    this.#setTimer();
  }

  /** A job that is being created: with a free slot and nothing waiting before it, it starts in the same commit. */
  offer(state: JobState): void {
    const { scheduler, jobTypes } = this.#options;
    const kind = scheduler.kindOf(state.queue);
    const now = this.#now;
    if (!this.#open || !this.#slots.isFree(kind) || state.readyAt > now) return;
    if (!jobTypes.get(state.jobType) || !scheduler.wouldBeNext(now, kind)) return;
    scheduler.chose(kind);
    this.#start(state.id, state, kind);
  }

  /** Resolves when no handler holds a slot and every outcome is on disk. */
  async idle(): Promise<void> {
    while (this.#slots.size + this.#recorder.pending > 0) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
  }

  /** Fires the signal of every running handler; what has not let go after `graceMs` is given back. */
  shutDown(graceMs: number): void {
    this.#letGoAt = this.#options.clock.monotonic() + graceMs;
    for (const attempt of this.#slots.attempts()) attempt.shutDown(graceMs);
  }

  /** What the log would date an event with: a clock that was set back keeps no job waiting. */
  get #now(): number {
    return Math.max(this.#options.clock.now(), this.#options.log.time);
  }

  #fill(kind: SlotKind): void {
    const { scheduler, states, log } = this.#options;
    while (this.#open && this.#slots.isFree(kind) && log.health.ok) {
      const id = scheduler.take(this.#now, kind);
      if (id === undefined) break;
      if (this.#slots.get(id)) continue;
      const state = states.peek(id);
      if (state !== undefined) this.#start(id, state, kind);
      else this.#startUnread(id, kind);
    }
  }

  #start(id: string, state: JobState | null, kind: SlotKind): void {
    const { processor, scheduler } = this.#options;
    // It was moved to a later time, and is found there when that has landed.
    if (state && state.readyAt > this.#now) return;
    try {
      const { after } = processor.stage(id, state, { type: "start" }, SUPERVISOR);
      this.#prepare(after, this.#slots.take(id, kind, "starting"));
    } catch (error) {
      if (error instanceof LogUnavailableError) scheduler.giveBack(state!);
      else if (!isRefusal(error)) this.#options.onError(error);
    }
  }

  /** Makes the attempt when what is staged is on its way to the disk, or waits for another commit: then there is time. */
  #prepare(state: JobState, slot: Slot): void {
    const { payload } = state;
    if (!("inline" in payload)) return;
    queueMicrotask(() => {
      if (slot.stage === "starting") slot.attempt = this.#newAttempt(state, payload.inline);
    });
  }

  #startUnread(id: string, kind: SlotKind): void {
    const { states, onUnreadable } = this.#options;
    this.#slots.take(id, kind, "reading");
    states.latest(id).then((read) => {
      this.#slots.release(id);
      if (this.#open) this.#start(id, states.peek(id) ?? read, kind);
    }).catch((error) => {
      this.#slots.release(id);
      onUnreadable(error);
    }).finally(() => this.#wake());
  }

  #landed(appends: readonly ChangingAppend<JobChange>[]): void {
    this.#options.scheduler.landed(appends);
    for (const { change: { after }, events } of appends) {
      if (events.at(-1)!.event.type === "job.started") {
        const slot = this.#slots.get(after.id);
        if (slot?.stage === "starting") this.#begin(after, slot);
      }
      if (after.phase === "processing.cancelling") this.#slots.attemptOf(after.id)?.cancel();
    }
    this.fill();
  }

  #begin(state: JobState, slot: Slot): void {
    const { id, attempt } = state;
    if (slot.attempt) return this.#run(id, slot, slot.attempt);
    // Its payload is in the log.
    slot.stage = "reading";
    readHeld(this.#options.log, state.payload, "payload").then(
      (payload) => this.#run(id, slot, this.#newAttempt(state, payload)),
      (error) => {
        this.#slots.release(id);
        this.#recorder.record(id, { type: "settle", attempt, outcome: failed(error), progress: null });
      },
    );
  }

  #newAttempt({ id, attempt: number, jobType, timeoutSeconds }: JobState, payload: JsonObject): Attempt {
    const { jobTypes, services, clock, scheduler, handlerLog, onAbandoned } = this.#options;
    return new Attempt({
      jobId: id,
      attempt: number,
      jobType: jobTypes.get(jobType)!,
      payload,
      timeoutSeconds,
      services,
      clock,
      timeouts: this.#timeouts,
      log: handlerLog(id, jobType),
      onProgress: (progress) => void this.#progress(id, number, progress),
      onSettled: (outcome, progress, abandoned) => {
        if (abandoned) {
          scheduler.hold(id);
          onAbandoned({ jobId: id, jobType, attempt: number });
        }
        this.#slots.release(id);
        if (outcome.type !== "released") this.#processed += 1;
        this.#recorder.record(id, { type: "settle", attempt: number, outcome, progress });
        this.fill();
      },
      onLate: (outcome) => {
        this.#recorder.record(id, { type: "refuse_late_result", attempt: number, outcome });
        scheduler.release(id);
        this.fill();
      },
    });
  }

  #run(id: string, slot: Slot, attempt: Attempt): void {
    const { clock, states } = this.#options;
    slot.stage = "running";
    slot.attempt = attempt;
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

  #setTimer(): void {
    const { clock, scheduler, log } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#open || !log.health.ok) return;
    let next = Infinity;
    for (const kind of SLOT_KINDS) {
      if (this.#slots.isFree(kind)) next = Math.min(next, scheduler.nextDueAt(kind) ?? Infinity);
    }
    if (next === Infinity) return;
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
