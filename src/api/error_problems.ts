/**
 * Turns what the rooms below throw into problem details. They know nothing of HTTP; this is the only place that
 * says which condition has which status.
 *
 * @module
 */
import {
  BatchTooLargeError,
  IdempotencyKeyReusedError,
  IdempotentJobDeletedError,
  JobNotFoundError,
  MomentError,
  NotThenError,
  TransitionRefusedError,
  VersionMismatchError,
} from "../actors/errors.ts";
import {
  EventTooLargeError,
  ExpectedVersionConflictError,
  LogFencedError,
  LogUnavailableError,
  StoreUnreadableError,
  UnknownOutcomeError,
} from "../events/errors.ts";
import { doesNotFit, ProblemError, RETRY_AFTER_SECONDS } from "./problem.ts";

/** The problem to answer with, or `undefined` for an error that nobody foresaw. */
export function problemOf(error: unknown): ProblemError | undefined {
  if (error instanceof ProblemError) return error;
  if (error instanceof JobNotFoundError) return new ProblemError(404, error.message);
  if (error instanceof NotThenError) return new ProblemError(404, error.message);
  if (error instanceof MomentError) return doesNotFit([{ parameter: "at", message: error.message }]);
  if (error instanceof TransitionRefusedError) return new ProblemError(409, error.message);
  if (error instanceof VersionMismatchError) return new ProblemError(412, error.message);
  if (error instanceof EventTooLargeError) return new ProblemError(413, error.message);
  if (error instanceof BatchTooLargeError) {
    return new ProblemError(413, `${error.message}. Send fewer jobs, or leave out "atomic"`);
  }
  if (error instanceof IdempotencyKeyReusedError) return new ProblemError(422, error.message);
  if (error instanceof IdempotentJobDeletedError) return new ProblemError(409, error.message);
  if (error instanceof StoreUnreadableError) return unavailable(error.message);
  if (error instanceof UnknownOutcomeError) {
    return unavailable(
      `It is not known whether the write landed: ${error.why}. Repeat the request with the same Idempotency-Key`,
    );
  }
  if (
    error instanceof LogUnavailableError || error instanceof LogFencedError ||
    error instanceof ExpectedVersionConflictError
  ) {
    return unavailable(`${error.message}. Nothing was written`);
  }
  return undefined;
}

function unavailable(detail: string): ProblemError {
  return new ProblemError(503, detail, { "Retry-After": String(RETRY_AFTER_SECONDS) });
}
