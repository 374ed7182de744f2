/**
 * The job commands and queries that the rest of Daybook offers to its users: the border between `actors` and `api`.
 *
 * Every command is answered after its commit, never before. Commands throw the errors of `errors.ts` and, from the log,
 * `LogUnavailableError` and `UnknownOutcomeError`.
 *
 * @module
 */
import type { z } from "zod";
import type { EventEnvelope, EventMeta } from "../events/event.ts";
import type { JsonObject } from "../handlers/handler.ts";
import type { BulkAction } from "./bulk_job_type.ts";
import type { Backoff, Job, JobPriority, JobStatus } from "./job/job.ts";

export interface Jobs {
  readonly jobTypes: JobTypes;
  readonly commands: JobCommands;
  readonly queries: JobQueries;
  readonly bulk: BulkQueries;
  readonly asOf: AsOfQueries;
}

/** The job types that this process has handlers for. */
export interface JobTypes {
  get(jobType: string): { readonly payloadSchema: z.ZodType; readonly timeoutSeconds: number } | undefined;
  names(): readonly string[];
}

/** What a caller says of a new job, validated and with the defaults filled in. */
export interface JobSpec {
  readonly job_type: string;
  readonly payload: JsonObject;
  readonly queue: string;
  readonly priority: JobPriority;
  readonly max_retries: number;
  /** ISO 8601 UTC with milliseconds, or `null` for at once. */
  readonly scheduled_at: string | null;
  readonly timeout_seconds: number;
  readonly backoff: Backoff;
  readonly tags: readonly string[];
}

/** What may be changed while a job is queued. */
export type JobChanges = Partial<Omit<JobSpec, "job_type">>;

export interface Idempotency {
  /** The caller's key; scoped to `meta.actor`. */
  readonly key: string;
  /** SHA-256 of the canonical JSON body, hex. */
  readonly bodyHash: string;
}

export interface CreateManyOptions {
  /** All at once or none; otherwise each on its own. Default `false`. */
  readonly atomic?: boolean;
  /** Of the batch as a whole. */
  readonly idempotency?: Idempotency | undefined;
}

/** What became of one job of a batch: `created` as for {@linkcode JobCommands.create}, `error` what that would throw. */
export type CreateOutcome =
  | { readonly job: Job; readonly created: boolean }
  | { readonly error: Error };

export interface JobCommands {
  /**
   * `created: false` when the idempotency key had created the job before; it is then as it is now.
   *
   * @throws {IdempotencyKeyReusedError} If the key was used with another body. Nothing was written.
   * @throws {IdempotentJobDeletedError} If the job that it created was deleted. Nothing was written.
   */
  create(
    spec: JobSpec,
    meta: EventMeta,
    idempotency?: Idempotency,
  ): Promise<{ job: Job; created: boolean }>;
  /**
   * The job that {@linkcode create} would answer without creating one, for a body that does not fit any more.
   *
   * @throws As that does.
   */
  createdBefore(idempotency: Idempotency, meta: EventMeta): Promise<Job | undefined>;
  /**
   * Creates many jobs; answers in their order when the fate of all is known.
   *
   * @throws {BatchTooLargeError} If an atomic batch is more than can land at once. Nothing was written.
   * @throws {IdempotencyKeyReusedError} If the key was used with another body. Nothing was written.
   */
  createMany(
    specs: readonly JobSpec[],
    meta: EventMeta,
    options?: CreateManyOptions,
  ): Promise<readonly CreateOutcome[]>;
  update(id: string, changes: JobChanges, meta: EventMeta, expectedVersion?: number): Promise<Job>;
  /** `pending: true` while the running handler has not let go yet. `meta.reason` is the cancel reason. */
  cancel(id: string, meta: EventMeta, expectedVersion?: number): Promise<{ job: Job; pending: boolean }>;
  retry(id: string, meta: EventMeta, expectedVersion?: number): Promise<Job>;
  delete(id: string, meta: EventMeta, expectedVersion?: number): Promise<void>;
}

export interface JobFilter {
  readonly status?: JobStatus;
  readonly job_type?: string;
  readonly queue?: string;
  readonly priority?: JobPriority;
  readonly tag?: string;
  /** Milliseconds since the epoch, exclusive. */
  readonly createdAfter?: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly createdBefore?: number;
}

/** What a bulk action is about. */
export interface BulkSelection {
  readonly action: BulkAction;
  readonly filter: JobFilter;
}

/** Bulk operations themselves are jobs of type `bulk_operation`. */
export interface BulkQueries {
  /**
   * How many jobs the action would apply to now.
   *
   * @throws The reason of `signal` when it fires first; a filter that no counter knows takes a walk over the jobs.
   */
  count(selection: BulkSelection, signal: AbortSignal): Promise<number>;
}

export interface JobStats {
  readonly total: number;
  readonly by_status: Record<JobStatus, number>;
  readonly by_type: Record<string, Record<JobStatus, number>>;
  readonly by_queue: Record<string, Record<JobStatus, number>>;
  /** Seconds that the job which has waited longest since it became due has waited; `null` when none waits. */
  readonly oldest_waiting_seconds: number | null;
  /** Jobs that became final, by the last minute and the last hour. */
  readonly throughput: {
    readonly last_minute: Record<"completed" | "failed" | "cancelled", number>;
    readonly last_hour: Record<"completed" | "failed" | "cancelled", number>;
  };
}

/** What was at a moment in the past, in milliseconds since the epoch, its own millisecond included; from the log alone. */
export interface AsOfQueries {
  /**
   * The job as it was then, also one that was deleted since.
   *
   * @throws {NotThenError} If it was not there then.
   * @throws {MomentError} If the moment is before the log began, or has not come.
   */
  get(id: string, at: number): Promise<Job>;
  /**
   * Newest first; `after` is the `next` of the page before. A page looks at 250 jobs and 20,000 events, so it may be short
   * while `next` says that more follows.
   *
   * @throws {MomentError} As above.
   */
  list(
    filter: JobFilter,
    at: number,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<{ jobs: Job[]; next: string | undefined }>;
}

export interface JobQueries {
  get(id: string): Promise<Job | undefined>;
  /** Answers as soon as the job is final, or after `timeoutMs` as it then is. */
  waitUntilFinal(id: string, timeoutMs: number, signal: AbortSignal): Promise<Job | undefined>;
  /** Newest first. `after` is the id of the last job of the page before; `next` that of this page, if more follow. */
  list(
    filter: JobFilter,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<{ jobs: Job[]; next: string | undefined }>;
  /** A job's events after `afterVersion`, oldest first; `undefined` when there is no such job. */
  history(id: string, afterVersion: number, limit: number): Promise<EventEnvelope[] | undefined>;
  /** The same, then every further event as it is committed, until `signal` fires. */
  follow(id: string, afterVersion: number, signal: AbortSignal): AsyncIterable<EventEnvelope>;
  /** Of the logs that the log was restored from, the oldest first, and its own. */
  logIds(): readonly string[];
  stats(): Promise<JobStats>;
  /** Whether a write would be acknowledged now, and why not. */
  ready(): { readonly ready: true } | { readonly ready: false; readonly why: string };
}
