/**
 * An attempt: one run of a handler, from its first line to its outcome. It may be made before it may run.
 *
 * The outcome is told exactly once. Timeout, cancellation and shutdown fire the handler's signal; one that ignores it
 * is abandoned after the grace time, and what it answers then is told as a late result.
 *
 * @module
 */
import type { Clock } from "../events/clock.ts";
import type { Deadlines } from "../events/deadlines.ts";
import type { HandlerContext, HandlerServices, JsonObject } from "../handlers/handler.ts";
import { runAs } from "./attempt_context.ts";
import { checkedPayload } from "./checked_payload.ts";
import { isolatedRun } from "./isolated_run.ts";
import type { Outcome } from "./job/commands.ts";
import type { JobProgress } from "./job/job.ts";
import type { JobType } from "./job_type_registry.ts";
import { completed, failed } from "./outcome.ts";

/** How long a handler may go on after its signal has fired. */
export const GRACE_MS = 10_000;
const PROGRESS_INTERVAL_MS = 1_000;
const MAX_NOTE_LENGTH = 500;
const LOG_LEVELS: readonly unknown[] = ["DEBUG", "INFO", "WARNING", "ERROR"];
/** `setTimeout` overflows beyond this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface AttemptOptions {
  readonly jobId: string;
  readonly attempt: number;
  readonly jobType: JobType;
  readonly payload: JsonObject;
  readonly timeoutSeconds: number;
  readonly services: HandlerServices;
  readonly clock: Clock;
  readonly timeouts: Deadlines;
  readonly log: HandlerContext["log"];
  readonly onProgress: (progress: JobProgress) => void;
  /** Told once. `abandoned` says that the handler goes on. */
  readonly onSettled: (outcome: Outcome, progress: JobProgress | null, abandoned: boolean) => void;
  /** Told once when an abandoned handler has settled after all. */
  readonly onLate: (outcome: Outcome) => void;
}

type Abort = "timeout" | "cancel" | "shutdown";

export class Attempt {
  readonly #options: AttemptOptions;
  readonly #controller = new AbortController();
  readonly #context: HandlerContext;
  readonly #timeout = () => this.#abort("timeout", GRACE_MS);
  #aborted: Abort | undefined;
  #grace: unknown;
  #graceEnd = Infinity;
  #progressTimer: unknown;
  #progressAt = -Infinity;
  #unrecorded: JobProgress | null = null;
  #told = false;

  /** May be made before its start is on disk, so it runs nothing of the job type's yet. */
  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#context = this.#newContext();
  }

  get jobId(): string {
    return this.#options.jobId;
  }

  /** Calls the handler. Everything that it may do ends in `onSettled`. */
  start(): void {
    const { timeouts, timeoutSeconds, jobId, jobType, attempt, payload } = this.#options;
    timeouts.set(this.#timeout, Math.min(timeoutSeconds * 1000, LONGEST_TIMER_MS));
    runAs({ jobId, jobType: jobType.handler.jobType, attempt, payload }, () => this.#run()).then(
      (result) => this.#handlerSettled(completed(result)),
      (error) => this.#handlerSettled(failed(error)),
    );
  }

  /** Someone asked to cancel the job. */
  cancel(): void {
    this.#abort("cancel", GRACE_MS);
  }

  /** Daybook stops; the handler has `graceMs` to let go. */
  shutDown(graceMs: number): void {
    this.#abort("shutdown", graceMs);
  }

  async #run(): Promise<unknown> {
    const { jobType, payload } = this.#options;
    let checked = checkedPayload(jobType.payloadSchema, payload);
    if (checked instanceof Promise) checked = await checked;
    // An asynchronous check can take longer than the attempt may.
    this.#controller.signal.throwIfAborted();
    if (!checked.success) throw new TypeError(checked.error.issues[0]?.message ?? "the payload does not fit");
    if (jobType.handler.isolate) return await isolatedRun(jobType.moduleUrl!, payload, this.#context);
    return await jobType.handler.run(checked.data, this.#context);
  }

  #newContext(): HandlerContext {
    const { jobId, attempt, services, clock, log } = this.#options;
    return {
      jobId,
      attempt,
      idempotencyKey: jobId,
      signal: this.#controller.signal,
      progress: (percent, note) => this.#progress(percent, note),
      // Handlers in plain JavaScript may pass anything.
      log: (message, level = "INFO") => log(String(message), LOG_LEVELS.includes(level) ? level : "INFO"),
      now: () => new Date(clock.now()),
      services,
    };
  }

  #abort(why: Abort, graceMs: number): void {
    if (this.#told) return;
    // The first reason counts, but for a cancel, which outweighs the others.
    if (why === "cancel" || this.#aborted === undefined) this.#aborted = why;
    const { clock, timeouts } = this.#options;
    timeouts.clear(this.#timeout);
    const end = clock.monotonic() + graceMs;
    if (end < this.#graceEnd) {
      this.#graceEnd = end;
      clock.clearTimeout(this.#grace);
      this.#grace = clock.setTimeout(() => this.#tell(this.#outcome(undefined), true), graceMs);
    }
    if (!this.#controller.signal.aborted) this.#controller.abort(this.#abortReason(why));
  }

  #abortReason(why: Abort): Error {
    if (why === "timeout") return timeoutError(this.#options);
    return new DOMException(why === "cancel" ? "The job was cancelled" : "Daybook is stopping", "AbortError");
  }

  #handlerSettled(own: Outcome): void {
    if (this.#told) this.#options.onLate(own);
    else this.#tell(this.#outcome(own), false);
  }

  /** What is recorded, from why the attempt was aborted and what the handler answered, if it did. */
  #outcome(own: Outcome | undefined): Outcome {
    if (this.#aborted === "timeout") {
      const stuck = own ? "" : "; its handler has not stopped, and the next attempt waits until it has";
      const { name, message } = timeoutError(this.#options);
      return { type: "failed", errorMessage: `${name}: ${message}${stuck}`, retryable: true };
    }
    if (this.#aborted === "shutdown") return own?.type === "completed" ? own : { type: "released" };
    return own ?? { type: "released" };
  }

  #tell(outcome: Outcome, abandoned: boolean): void {
    this.#told = true;
    const { clock, timeouts, onSettled } = this.#options;
    timeouts.clear(this.#timeout);
    if (this.#grace !== undefined) clock.clearTimeout(this.#grace);
    if (this.#progressTimer !== undefined) clock.clearTimeout(this.#progressTimer);
    onSettled(outcome, this.#unrecorded, abandoned);
  }

  /** At most one a second is passed on; the last one goes along with the outcome. */
  #progress(percent: number, note?: string): void {
    if (this.#told) return;
    const value = Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) : 0;
    const text = typeof note === "string"
      ? [...note.toWellFormed()].slice(0, MAX_NOTE_LENGTH).join("")
      : null;
    this.#unrecorded = { percent: value, note: text };
    const { clock } = this.#options;
    const wait = this.#progressAt + PROGRESS_INTERVAL_MS - clock.monotonic();
    if (wait <= 0) this.#passProgressOn();
    else this.#progressTimer ??= clock.setTimeout(() => this.#passProgressOn(), wait);
  }

  #passProgressOn(): void {
    const { clock, onProgress } = this.#options;
    clock.clearTimeout(this.#progressTimer);
    this.#progressTimer = undefined;
    const progress = this.#unrecorded;
    if (this.#told || !progress) return;
    this.#progressAt = clock.monotonic();
    this.#unrecorded = null;
    onProgress(progress);
  }
}

function timeoutError({ attempt, timeoutSeconds }: AttemptOptions): Error {
  const error = new Error(`attempt ${attempt} took longer than ${timeoutSeconds} s`);
  error.name = "TimeoutError";
  return error;
}
