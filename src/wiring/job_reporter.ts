/**
 * From what landed in the log to the lines that tell of it.
 *
 * @module
 */
import type { Logger } from "@std/log";
import type { JobEventType } from "../actors/job/events.ts";
import type { JobChange } from "../actors/job/projector.ts";
import type { JobState } from "../actors/job/state.ts";
import type { LogListener } from "../events/append.ts";
import {
  logCancelled,
  logCompleted,
  logFailed,
  logInterrupted,
  logProcessing,
  logRetry,
} from "../logging/job_lines.ts";
import { withoutPayload } from "../logging/without_payload.ts";

export function jobReporter(logger: Logger): LogListener<JobChange> {
  return {
    landed: (appends) => {
      for (const { change, events } of appends) {
        for (const { event } of events) report(logger, event.type as JobEventType, change);
      }
    },
  };
}

function report(logger: Logger, type: JobEventType, { after }: JobChange): void {
  const facts = { jobId: after.id, jobType: after.jobType, attempt: after.attempt };
  switch (type) {
    case "job.started":
      return logProcessing(logger, { ...facts, maxRetries: after.maxRetries });
    case "job.completed":
      return logCompleted(logger, { ...facts, durationMs: after.completedAt! - after.startedAt! });
    case "job.attempt_failed":
      return logRetry(logger, {
        ...facts,
        error: shownError(after),
        retryCount: after.retryCount,
        maxRetries: after.maxRetries,
        nextRetryAt: new Date(after.nextRetryAt!).toISOString(),
      });
    case "job.failed":
      return logFailed(logger, { ...facts, error: shownError(after) });
    case "job.cancelled":
      return logCancelled(logger, facts);
    case "job.interrupted":
      return logInterrupted(logger, { ...facts, interruptCount: after.interruptCount });
  }
}

/** A large payload is in the log only. */
function shownError({ errorMessage, payload }: JobState): string {
  return withoutPayload(errorMessage!, "inline" in payload ? payload.inline : undefined);
}
