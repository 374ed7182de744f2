/**
 * The wishes that a job can be told: what `decide` answers with events.
 *
 * @module
 */
import type { JsonObject } from "../../handlers/handler.ts";
import type { JobChanges, JobSpec } from "../jobs.ts";
import type { IdempotencyRecord } from "./events.ts";
import type { JobProgress } from "./job.ts";

export type JobCommand =
  | { readonly type: "create"; readonly spec: JobSpec; readonly idempotency: IdempotencyRecord | null }
  | { readonly type: "update"; readonly changes: JobChanges }
  | { readonly type: "start" }
  | {
    readonly type: "progress";
    readonly attempt: number;
    readonly percent: number;
    readonly note: string | null;
  }
  /** The attempt is over, one way or another. */
  | {
    readonly type: "settle";
    readonly attempt: number;
    readonly outcome: Outcome;
    /** What the handler reported and no event has recorded yet. */
    readonly progress: JobProgress | null;
  }
  /** An attempt that had lost its slot settled after all. */
  | { readonly type: "refuse_late_result"; readonly attempt: number; readonly outcome: Outcome }
  /** The process that ran the attempt died. */
  | { readonly type: "interrupt" }
  | { readonly type: "cancel" }
  | { readonly type: "retry" }
  | { readonly type: "delete" };

/** How an attempt ended. */
export type Outcome =
  | { readonly type: "completed"; readonly result: JsonObject | null }
  | { readonly type: "failed"; readonly errorMessage: string; readonly retryable: boolean }
  /** Given back by a graceful stop; uses nothing up. */
  | { readonly type: "released" };

/** What a command needs of the world outside: decided once, recorded, and never asked for again. */
export interface DecisionContext {
  /** Milliseconds since the epoch, not before the time of the last event. */
  readonly now: number;
  /** A draw from [0, 1). */
  readonly random: number;
}
