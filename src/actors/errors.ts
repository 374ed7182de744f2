/**
 * What a caller of the job commands can be told, one class for each condition. They know nothing of HTTP.
 *
 * @module
 */
import type { JobStatus } from "./job/job.ts";

export class JobNotFoundError extends Error {
  override readonly name = "JobNotFoundError";
  constructor(readonly jobId: string) {
    super(`There is no job ${jobId}`);
  }
}

/** The machine has no such transition from the job's status. Nothing was written. */
export class TransitionRefusedError extends Error {
  override readonly name = "TransitionRefusedError";
  constructor(readonly jobId: string, readonly deed: string, readonly status: JobStatus) {
    super(`Cannot ${deed} job ${jobId}: it is ${status}`);
  }
}

/** The caller's precondition names another version than the job's. Nothing was written. */
export class VersionMismatchError extends Error {
  override readonly name = "VersionMismatchError";
  constructor(readonly jobId: string, readonly expected: number, readonly actual: number) {
    super(`Job ${jobId} is at version ${actual}, not ${expected}`);
  }
}

/** The job is no longer what its caller meant. Nothing was written. */
export class JobChangedError extends Error {
  override readonly name = "JobChangedError";
  constructor(readonly jobId: string) {
    super(`Job ${jobId} has changed, and is not meant any more`);
  }
}

/** The idempotency key was used before with another body. Nothing was written. */
export class IdempotencyKeyReusedError extends Error {
  override readonly name = "IdempotencyKeyReusedError";
  constructor(readonly jobId: string) {
    super(`This Idempotency-Key was used with another body; it created job ${jobId}`);
  }
}

/** The idempotency key created a job that was deleted since; to create it again would do its work twice. Nothing was written. */
export class IdempotentJobDeletedError extends Error {
  override readonly name = "IdempotentJobDeletedError";
  constructor(readonly jobId: string) {
    super(`This Idempotency-Key created job ${jobId}, which was deleted`);
  }
}

/** A batch that must land as a whole needs more than one commit can hold. Nothing was written. */
export class BatchTooLargeError extends RangeError {
  override readonly name = "BatchTooLargeError";
  constructor(readonly what: string, readonly needed: number, readonly limit: number) {
    super(`One commit holds ${limit} ${what}, and these jobs with their queues need ${needed}`);
  }
}

/** The moment that was asked for is none that the log can tell of. */
export class MomentError extends RangeError {
  override readonly name = "MomentError";
}

/** The job was not there at the moment that was asked for. */
export class NotThenError extends Error {
  override readonly name = "NotThenError";
}

/** Whether the command was refused for what the job is; nothing was written. */
export function isRefusal(error: unknown): boolean {
  return error instanceof JobNotFoundError || error instanceof TransitionRefusedError ||
    error instanceof VersionMismatchError || error instanceof JobChangedError;
}
