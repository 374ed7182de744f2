/**
 * The events of a job's history and what each carries.
 *
 * These outlive the code: a changed event gets a new schema version and an upcaster. The reason that a person gave
 * stands in the envelope's `reason`.
 *
 * @module
 */
import type { NewEvent } from "../../events/event.ts";
import type { JsonObject } from "../../handlers/handler.ts";
import type { JobChanges, JobSpec } from "../jobs.ts";
import type { JobProgress } from "./job.ts";

/** The idempotency key that created a job; hashes only, so that the key itself is nowhere stored. */
export interface IdempotencyRecord {
  /** SHA-256 of token name and key, hex. */
  readonly key_hash: string;
  /** SHA-256 of the canonical JSON body, hex. */
  readonly body_hash: string;
  readonly expires_at: string;
}

export interface JobEventData {
  "job.created": JobSpec & { readonly idempotency: IdempotencyRecord | null };
  "job.updated": JobChanges;
  "job.started": { readonly attempt: number };
  /** At most one a second for an attempt. */
  "job.progressed": { readonly attempt: number; readonly percent: number; readonly note: string | null };
  /** The attempt failed and another follows. */
  "job.attempt_failed": {
    readonly attempt: number;
    readonly error_message: string;
    readonly retry_count: number;
    readonly next_retry_at: string;
    readonly progress: JobProgress | null;
  };
  "job.completed": {
    readonly attempt: number;
    readonly result: JsonObject | null;
    /** What was reported since the last `job.progressed`, if anything; so in the other outcomes. */
    readonly progress: JobProgress | null;
  };
  /** The attempt failed and none follows. */
  "job.failed": {
    readonly attempt: number;
    readonly error_message: string;
    readonly interrupt_count: number;
    readonly progress: JobProgress | null;
  };
  /** The process died under the attempt. */
  "job.interrupted": {
    readonly attempt: number;
    readonly interrupt_count: number;
    /** `null` when the job runs again at once. */
    readonly next_retry_at: string | null;
  };
  /** Given back by a graceful stop. */
  "job.released": { readonly attempt: number };
  "job.cancel_requested": Record<string, never>;
  /** `attempt` is that which was cut off, `null` when the job was queued. */
  "job.cancelled": { readonly attempt: number | null; readonly progress?: JobProgress };
  "job.retried": Record<string, never>;
  "job.deleted": Record<string, never>;
  /** An attempt that had lost its slot settled after all. */
  "job.late_result_refused": {
    readonly attempt: number;
    readonly outcome: "completed" | "failed";
    readonly error_message: string | null;
  };
  /** The history is long: progress is no longer recorded. */
  "job.history_limited": { readonly events: number };
}

export type JobEventType = keyof JobEventData;

export const JOB_EVENT_TYPES: readonly JobEventType[] = [
  "job.created",
  "job.updated",
  "job.started",
  "job.progressed",
  "job.attempt_failed",
  "job.completed",
  "job.failed",
  "job.interrupted",
  "job.released",
  "job.cancel_requested",
  "job.cancelled",
  "job.retried",
  "job.deleted",
  "job.late_result_refused",
  "job.history_limited",
];

/** What ends an attempt; none of them comes otherwise, but for `job.cancelled` of a job that waits. */
export const ATTEMPT_ENDS: ReadonlySet<string> = new Set<JobEventType>([
  "job.attempt_failed",
  "job.completed",
  "job.failed",
  "job.interrupted",
  "job.released",
  "job.cancelled",
]);

/** Today's schema version of every job event. */
const SCHEMA_VERSION = 1;

export type JobEvent = { [Type in JobEventType]: { readonly type: Type; readonly data: JobEventData[Type] } }[
  JobEventType
];

export function newJobEvent<Type extends JobEventType>(
  type: Type,
  machineVersion: number,
  data: JobEventData[Type],
): NewEvent {
  return { type, schema_version: SCHEMA_VERSION, machine_version: machineVersion, data: { ...data } };
}

const STREAM_PREFIX = "job/";

export function jobStream(id: string): string {
  return `${STREAM_PREFIX}${id}`;
}

/** Of a job's stream, the job's id. */
export function jobIdOf(stream: string): string {
  return stream.slice(STREAM_PREFIX.length);
}
