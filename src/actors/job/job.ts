/**
 * A job: its public face, field by field as the HTTP interface and the client show it.
 *
 * @module
 */
import type { JsonObject } from "../../handlers/handler.ts";

export const JOB_STATUSES = ["queued", "processing", "completed", "failed", "cancelled"] as const;
export type JobStatus = typeof JOB_STATUSES[number];

/** From the most to the least urgent is the reverse of this order. */
export const JOB_PRIORITIES = ["low", "normal", "high", "critical"] as const;
export type JobPriority = typeof JOB_PRIORITIES[number];

/** How long a failed job waits for its next attempt; all in seconds, `jitter` a share from 0 to 1. */
export interface Backoff {
  readonly base_seconds: number;
  readonly factor: number;
  readonly max_seconds: number;
  readonly jitter: number;
}

/** Progress of the attempt that runs or ran last. */
export interface JobProgress {
  readonly percent: number;
  readonly note: string | null;
}

/** Times are ISO 8601, UTC, with milliseconds. Every field is always there, `null` where empty. */
export interface Job {
  readonly id: string;
  readonly job_type: string;
  readonly queue: string;
  readonly priority: JobPriority;
  readonly status: JobStatus;
  readonly payload: JsonObject;
  readonly result: JsonObject | null;
  /** Last failure as `Name: message`; stays after a later success. */
  readonly error_message: string | null;
  /** Runs begun. */
  readonly attempt: number;
  /** Failures retried so far. */
  readonly retry_count: number;
  readonly max_retries: number;
  /** Attempts cut off by a crash since the last one that ended by itself. */
  readonly interrupt_count: number;
  /** Set only while the job is queued and waits for a retry. */
  readonly next_retry_at: string | null;
  readonly scheduled_at: string | null;
  readonly timeout_seconds: number;
  readonly backoff: Backoff;
  readonly progress: JobProgress | null;
  readonly cancel_requested_at: string | null;
  readonly cancel_reason: string | null;
  readonly created_by: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly started_at: string | null;
  /** When the job became completed, failed or cancelled. */
  readonly completed_at: string | null;
  readonly tags: readonly string[];
  /** Number of events in the job's history; also its `ETag`. */
  readonly version: number;
}

export const MAX_RETRIES_DEFAULT = 3;
export const MAX_RETRIES_LIMIT = 25;
export const QUEUE_DEFAULT = "default";
export const TIMEOUT_SECONDS_DEFAULT = 300;
export const MAX_TIMEOUT_SECONDS = 86_400;
/** 2, 4, 8 minutes …, at most a day. */
export const BACKOFF_DEFAULT: Backoff = { base_seconds: 120, factor: 2, max_seconds: 86_400, jitter: 0 };
/** Payload and result, each as UTF-8 JSON. */
export const MAX_PAYLOAD_BYTES = 48 * 1024;
