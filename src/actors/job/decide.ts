/**
 * `decide`: answering a command with the events that it amounts to, or with a refusal.
 *
 * The machine says what can happen in the job's phase; the rules here choose among it. Pure: clock and dice are handed
 * in, and what they said is recorded in the events.
 *
 * @module
 */
import type { NewEvent } from "../../events/event.ts";
import { backoffDelayMs } from "./backoff.ts";
import type { DecisionContext, JobCommand } from "./commands.ts";
import { type JobEventData, type JobEventType, newJobEvent } from "./events.ts";
import { MACHINE_VERSION } from "./machine.ts";
import type { JobState } from "./state.ts";
import { canHappen, type JobPhase } from "./transition_table.ts";

/** A third interruption in a row ends the job: whatever it does seems to kill its process. */
const INTERRUPTIONS_LIMIT = 3;

/** From this many events on a job's progress is no longer recorded. */
export const HISTORY_LIMIT = 10_000;

/** No events: the wish is already true. */
export type Decision =
  | { readonly events: readonly NewEvent[] }
  | { readonly refused: { readonly deed: string; readonly phase: JobPhase } };

/** @param state `null` when there is no job yet. */
export function decide(state: JobState | null, command: JobCommand, context: DecisionContext): Decision {
  if (state === null) return command.type === "create" ? create(command) : refuse("absent", command.type);
  switch (command.type) {
    case "create":
      return refuse(state.phase, "create");
    case "update":
      return accept(state, "update", "job.updated", command.changes);
    case "start":
      return accept(state, "start", "job.started", { attempt: state.attempt + 1 });
    case "progress":
      return progress(state, command);
    case "settle":
      return settle(state, command, context);
    case "refuse_late_result":
      return accept(state, "refuse a late result of", "job.late_result_refused", {
        attempt: command.attempt,
        outcome: command.outcome.type === "completed" ? "completed" : "failed",
        error_message: command.outcome.type === "failed" ? command.outcome.errorMessage : null,
      });
    case "interrupt":
      return interrupt(state, context);
    case "cancel":
      return cancel(state);
    case "retry":
      return accept(state, "retry", "job.retried", {});
    case "delete":
      return accept(state, "delete", "job.deleted", {});
  }
}

function create(command: JobCommand & { type: "create" }): Decision {
  const data = { ...command.spec, idempotency: command.idempotency };
  return { events: [newJobEvent("job.created", MACHINE_VERSION, data)] };
}

function progress(state: JobState, command: JobCommand & { type: "progress" }): Decision {
  const { attempt, percent, note } = command;
  if (attempt !== state.attempt) return refuse(state.phase, "report progress of");
  if (state.historyLimited) return { events: [] };
  if (state.version >= HISTORY_LIMIT) {
    return accept(state, "report progress of", "job.history_limited", { events: HISTORY_LIMIT });
  }
  return accept(state, "report progress of", "job.progressed", { attempt, percent, note });
}

function settle(
  state: JobState,
  { attempt, outcome, progress }: JobCommand & { type: "settle" },
  context: DecisionContext,
): Decision {
  if (attempt !== state.attempt) return refuse(state.phase, "settle");
  // A job whose cancel was asked for is cancelled, whatever its handler answered.
  if (state.phase === "processing.cancelling") {
    return accept(state, "settle", "job.cancelled", { attempt, ...progress && { progress } });
  }
  switch (outcome.type) {
    case "completed":
      return accept(state, "complete", "job.completed", { attempt, result: outcome.result, progress });
    case "released":
      return accept(state, "release", "job.released", { attempt });
    case "failed": {
      const { errorMessage: error_message, retryable } = outcome;
      if (!retryable || state.retryCount >= state.maxRetries) {
        return accept(state, "fail", "job.failed", { attempt, error_message, interrupt_count: 0, progress });
      }
      return accept(state, "fail", "job.attempt_failed", {
        attempt,
        error_message,
        retry_count: state.retryCount + 1,
        next_retry_at: afterBackoff(state, context),
        progress,
      });
    }
  }
}

function interrupt(state: JobState, context: DecisionContext): Decision {
  const { attempt } = state;
  const interrupt_count = state.interruptCount + 1;
  if (state.phase === "processing.cancelling") {
    return accept(state, "interrupt", "job.cancelled", { attempt });
  }
  if (interrupt_count >= INTERRUPTIONS_LIMIT) {
    const error_message =
      `InterruptedError: the process died during ${interrupt_count} attempts in a row, last during attempt ${attempt}`;
    return accept(state, "interrupt", "job.failed", {
      attempt,
      error_message,
      interrupt_count,
      progress: null,
    });
  }
  const next_retry_at = interrupt_count === 1 ? null : afterBackoff(state, context);
  return accept(state, "interrupt", "job.interrupted", { attempt, interrupt_count, next_retry_at });
}

function cancel(state: JobState): Decision {
  if (state.phase === "cancelled" || state.phase === "processing.cancelling") return { events: [] };
  if (state.phase === "processing.running") return accept(state, "cancel", "job.cancel_requested", {});
  return accept(state, "cancel", "job.cancelled", { attempt: null });
}

function afterBackoff(state: JobState, { now, random }: DecisionContext): string {
  return new Date(now + backoffDelayMs(state.backoff, state.retryCount, random)).toISOString();
}

function accept<Type extends JobEventType>(
  state: JobState,
  deed: string,
  type: Type,
  data: JobEventData[Type],
): Decision {
  if (!canHappen(state.machineVersion, state.phase, type)) return refuse(state.phase, deed);
  return { events: [newJobEvent(type, state.machineVersion, data)] };
}

function refuse(phase: JobPhase, deed: string): Decision {
  return { refused: { deed, phase } };
}
