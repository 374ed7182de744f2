/**
 * A job's state as it is folded from its events and kept in its row.
 *
 * @module
 */
import { toIsoTime } from "../../events/iso_time.ts";
import type { JsonObject } from "../../handlers/handler.ts";
import type { IdempotencyRecord } from "./events.ts";
import type { Backoff, Job, JobPriority, JobProgress, JobStatus } from "./job.ts";
import type { JobPhase } from "./transition_table.ts";

/** A payload or result: at hand with the state while its event is small, otherwise the position of that event. */
export type Held = { readonly inline: JsonObject } | { readonly position: number };

/** Times are milliseconds since the epoch. */
export interface JobState {
  readonly id: string;
  readonly phase: JobPhase;
  readonly machineVersion: number;
  /** Number of events in the job's stream. */
  readonly version: number;
  readonly jobType: string;
  readonly queue: string;
  readonly priority: JobPriority;
  readonly payload: Held;
  readonly result: Held | null;
  readonly errorMessage: string | null;
  readonly attempt: number;
  readonly retryCount: number;
  readonly maxRetries: number;
  readonly interruptCount: number;
  readonly nextRetryAt: number | null;
  readonly scheduledAt: number | null;
  /** Since when the job waits, or from when on it may start: its place in the order of choice. */
  readonly readyAt: number;
  readonly timeoutSeconds: number;
  readonly backoff: Backoff;
  readonly progress: JobProgress | null;
  readonly cancelRequestedAt: number | null;
  readonly cancelReason: string | null;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt: number | null;
  /** Version of the last `job.started`. */
  readonly startVersion: number | null;
  readonly completedAt: number | null;
  readonly tags: readonly string[];
  readonly idempotency: IdempotencyRecord | null;
  /** Set once `job.history_limited` has said that progress is no longer recorded. */
  readonly historyLimited?: true;
  /** Positions of the job's latest events, oldest first; older ones are in chunks. */
  readonly positions: readonly number[];
  /** The state after the first event, if the id leads to that event; `null` otherwise, and in that state itself. A row says what
   * differs from it, or everything. */
  readonly origin: JobState | null;
}

export function statusOf(phase: JobPhase): JobStatus {
  const dot = phase.indexOf(".");
  return (dot === -1 ? phase : phase.slice(0, dot)) as JobStatus;
}

export function isQueued(phase: JobPhase): boolean {
  return statusOf(phase) === "queued";
}

export function isFinal(phase: JobPhase): boolean {
  return phase === "completed" || phase === "failed" || phase === "cancelled" || phase === "deleted";
}

/** The job as its users see it. */
export function toJob(state: JobState, payload: JsonObject, result: JsonObject | null): Job {
  return {
    id: state.id,
    job_type: state.jobType,
    queue: state.queue,
    priority: state.priority,
    status: statusOf(state.phase),
    payload,
    result,
    error_message: state.errorMessage,
    attempt: state.attempt,
    retry_count: state.retryCount,
    max_retries: state.maxRetries,
    interrupt_count: state.interruptCount,
    next_retry_at: iso(state.nextRetryAt),
    scheduled_at: iso(state.scheduledAt),
    timeout_seconds: state.timeoutSeconds,
    backoff: state.backoff,
    progress: state.progress,
    cancel_requested_at: iso(state.cancelRequestedAt),
    cancel_reason: state.cancelReason,
    created_by: state.createdBy,
    created_at: iso(state.createdAt),
    updated_at: iso(state.updatedAt),
    started_at: iso(state.startedAt),
    completed_at: iso(state.completedAt),
    tags: state.tags,
    version: state.version,
  };
}

function iso(ms: number): string;
function iso(ms: number | null): string | null;
function iso(ms: number | null): string | null {
  return ms === null ? null : toIsoTime(ms);
}
