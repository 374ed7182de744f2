/**
 * The lines that tell of the supervisor and of jobs, in the words of the contract.
 *
 * Each takes its logger and facts and makes nothing while its level is off. No payload value is in any of them: of an
 * error only its name and the beginning of its message are told, without what it quotes of the payload (`without_payload.ts`).
 *
 * @module
 */
import { type Logger, LogLevels } from "@std/log";
import { oneLine } from "./one_line.ts";

/** The job and the attempt that a line is about. */
export interface JobFacts {
  readonly jobId: string;
  readonly jobType: string;
  /** 1 for the first run; 0 for a job that never ran. */
  readonly attempt: number;
}

/** A failure: `Name: message`, as in the job's `error_message`. Only the first 200 characters of the message are told. */
export interface FailureFacts extends JobFacts {
  readonly error: string;
}

export function logStarting(logger: Logger, facts: { concurrency: number; pid: number }): void {
  if (logger.level > LogLevels.INFO) return;
  const { concurrency, pid } = facts;
  logger.info(`🚀 Background Worker Starting (concurrency ${concurrency}, pid ${pid})`, { concurrency, pid });
}

/** `recovered` of the jobs found were running when the process before this one ended. */
export function logJobsFound(logger: Logger, facts: { waiting: number; recovered: number }): void {
  if (logger.level > LogLevels.INFO) return;
  const { waiting, recovered } = facts;
  const rest = recovered > 0 ? ` (${recovered} recovered after an interruption)` : "";
  logger.info(`📋 Found ${count(waiting, "job")} waiting${rest}`, { waiting, recovered });
}

/** `maxRetries` as in the job, so an attempt of `maxRetries + 1`; interruptions and retries by hand make it more. */
export function logProcessing(logger: Logger, facts: JobFacts & { maxRetries: number }): void {
  if (logger.level > LogLevels.INFO) return;
  const { jobId, jobType, attempt, maxRetries } = facts;
  const of = attempt <= maxRetries + 1 ? ` of ${maxRetries + 1}` : "";
  logger.info(
    `⚙️ Processing job ${jobId} (${jobType}, attempt ${attempt}${of})`,
    fields(facts),
  );
}

export function logCompleted(logger: Logger, facts: JobFacts & { durationMs: number }): void {
  if (logger.level > LogLevels.INFO) return;
  const durationMs = Math.round(facts.durationMs);
  logger.info(
    `✅ Job ${facts.jobId} completed (${facts.jobType}, ${durationMs} ms)`,
    fields(facts, { duration_ms: durationMs }),
  );
}

/** `retryCount` counts the retry that is told of: 1 for the first. */
export function logRetry(
  logger: Logger,
  facts: FailureFacts & { retryCount: number; maxRetries: number; nextRetryAt: string },
): void {
  if (logger.level > LogLevels.WARN) return;
  const { jobId, retryCount, maxRetries, nextRetryAt } = facts;
  const error = shortError(facts.error);
  logger.warn(
    `🔁 Job ${jobId} failed, retry ${retryCount} of ${maxRetries} at ${nextRetryAt} (${error})`,
    fields(facts, { retry_count: retryCount, next_retry_at: nextRetryAt, error }),
  );
}

export function logFailed(logger: Logger, facts: FailureFacts): void {
  if (logger.level > LogLevels.ERROR) return;
  const error = shortError(facts.error);
  logger.error(
    `❌ Job ${facts.jobId} failed (${facts.jobType}, attempt ${facts.attempt}): ${error}`,
    fields(facts, { error }),
  );
}

export function logCancelled(logger: Logger, facts: JobFacts): void {
  if (logger.level > LogLevels.INFO) return;
  logger.info(`🚫 Job ${facts.jobId} cancelled (${facts.jobType})`, fields(facts));
}

/** An attempt that ended with the process it ran in. */
export function logInterrupted(logger: Logger, facts: JobFacts & { interruptCount: number }): void {
  if (logger.level > LogLevels.WARN) return;
  const { jobId, jobType, interruptCount } = facts;
  logger.warn(
    `⚡ Job ${jobId} was interrupted (${jobType}, ${count(interruptCount, "time")} in a row)`,
    fields(facts, { interrupt_count: interruptCount }),
  );
}

/** A handler that goes on after its signal fired and its grace time went by. */
export function logAbandoned(logger: Logger, facts: JobFacts): void {
  if (logger.level > LogLevels.WARN) return;
  const { jobId, jobType, attempt } = facts;
  logger.warn(
    `⏳ Job ${jobId}'s handler has not stopped (${jobType}, attempt ${attempt}); until it has, the job is not started again`,
    fields(facts),
  );
}

/**
 * An error that no promise of the handler's carries, so that it ends nothing: one of a promise that it does not wait for, or
 * of a callback. `place` is where it was thrown.
 */
export function logUncaught(logger: Logger, facts: FailureFacts & { place: string | undefined }): void {
  if (logger.level > LogLevels.ERROR) return;
  const error = shortError(facts.error);
  const at = facts.place === undefined ? "" : ` at ${oneLine(facts.place)}`;
  logger.error(
    `💥 Job ${facts.jobId} left an error that nothing catches (${facts.jobType}, attempt ${facts.attempt}): ${error}${at}`,
    fields(facts, { error, place: facts.place }),
  );
}

/** A line that a handler wrote through its context. */
export function logHandlerLine(
  logger: Logger,
  facts: JobFacts,
  message: string,
  level: "DEBUG" | "INFO" | "WARNING" | "ERROR" = "INFO",
): void {
  const name = level === "WARNING" ? "WARN" : level;
  if (logger.level > LogLevels[name]) return;
  const method = name.toLowerCase() as Lowercase<typeof name>;
  logger[method](`📝 Job ${facts.jobId}: ${message}`, fields(facts));
}

/** `totalProcessed`: attempts that this process brought to an end. */
export function logStopped(logger: Logger, facts: { totalProcessed: number }): void {
  if (logger.level > LogLevels.INFO) return;
  const { totalProcessed } = facts;
  logger.info(`🛑 Background Worker Stopped (total processed: ${totalProcessed})`, {
    total_processed: totalProcessed,
  });
}

/** `Name: message` on one line, the message cut to 200 characters, as it may be shown in a log line. */
export function shortError(error: string): string {
  const colon = error.indexOf(": ");
  const messageAt = colon >= 0 && colon <= 80 ? colon + 2 : 0;
  const message = error.slice(messageAt);
  const short = message.length > 200 ? `${message.slice(0, 199).toWellFormed()}…` : message;
  return oneLine(error.slice(0, messageAt) + short);
}

function fields(facts: JobFacts, more?: Record<string, unknown>): Record<string, unknown> {
  return { job_id: facts.jobId, job_type: facts.jobType, attempt: facts.attempt, ...more };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
