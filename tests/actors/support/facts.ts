/**
 * Facts of a job's history and their fold, for tests of the pure core: no clock, no store.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { JobCommand } from "../../../src/actors/job/commands.ts";
import { decide } from "../../../src/actors/job/decide.ts";
import {
  type JobEventData,
  type JobEventType,
  jobStream,
  newJobEvent,
} from "../../../src/actors/job/events.ts";
import { evolve } from "../../../src/actors/job/evolve.ts";
import { BACKOFF_DEFAULT } from "../../../src/actors/job/job.ts";
import type { JobState } from "../../../src/actors/job/state.ts";
import type { JobPhase } from "../../../src/actors/job/transition_table.ts";
import type { JobSpec } from "../../../src/actors/jobs.ts";
import { encodeEvent, type NewEvent, type StoredEvent } from "../../../src/events/event.ts";

export const JOB_ID = "019b97f3-dca0-7000-8000-000000000001";
export const START = Date.parse("2026-01-07T10:15:00.000Z");
/** Each fact happens a second after the one before. */
export const STEP_MS = 1_000;

export function aSpec(overrides: Partial<JobSpec> = {}): JobSpec {
  return {
    job_type: "echo",
    payload: {},
    queue: "default",
    priority: "normal",
    max_retries: 3,
    scheduled_at: null,
    timeout_seconds: 300,
    backoff: BACKOFF_DEFAULT,
    tags: [],
    ...overrides,
  };
}

export function fact<Type extends JobEventType>(type: Type, data: JobEventData[Type]): NewEvent {
  return newJobEvent(type, 1, data);
}

/** The facts that make up most histories. */
export const created = (overrides: Partial<JobSpec> = {}) =>
  fact("job.created", { ...aSpec(overrides), idempotency: null });
export const started = (attempt: number) => fact("job.started", { attempt });
export const completed = (attempt: number, result: Record<string, string> | null = null) =>
  fact("job.completed", { attempt, result, progress: null });
export const attemptFailed = (attempt: number, next_retry_at: string, retry_count = attempt) =>
  fact("job.attempt_failed", {
    attempt,
    error_message: "Error: no luck",
    retry_count,
    next_retry_at,
    progress: null,
  });
export const failed = (attempt: number) =>
  fact("job.failed", { attempt, error_message: "Error: no luck", interrupt_count: 0, progress: null });
export const interrupted = (attempt: number, interrupt_count: number, next_retry_at: string | null = null) =>
  fact("job.interrupted", { attempt, interrupt_count, next_retry_at });
export const cancelRequested = () => fact("job.cancel_requested", {});
export const cancelled = (attempt: number | null = null) => fact("job.cancelled", { attempt });
export const retried = () => fact("job.retried", {});
export const deleted = () => fact("job.deleted", {});

export interface StoredAs {
  readonly version: number;
  readonly position?: number;
  readonly time?: number;
  readonly reason?: string | null;
  readonly id?: string;
}

/** A fact as the log stores it. */
export function stored(event: NewEvent, { version, position, time, reason, id }: StoredAs): StoredEvent {
  const envelope = {
    log_id: "log",
    partition: 0,
    position: position ?? version - 1,
    stream: jobStream(id ?? JOB_ID),
    version,
    ...event,
    time: new Date(time ?? timeOf(version)).toISOString(),
    actor: "tester",
    request_id: null,
    causation_id: null,
    reason: reason ?? null,
  };
  return { event: envelope, bytes: encodeEvent(envelope) };
}

/** When the fact of this version happens in {@linkcode fold}. */
export function timeOf(version: number): number {
  return START + (version - 1) * STEP_MS;
}

/** The job after these facts. */
export function fold(...facts: readonly NewEvent[]): JobState {
  const state = facts.map((event, i) => stored(event, { version: i + 1 })).reduce<JobState | null>(
    evolve,
    null,
  );
  assert(state !== null, "the first fact must be job.created");
  return state;
}

/** One history that leads to each phase. */
export const HISTORIES: Readonly<Record<Exclude<JobPhase, "absent">, readonly NewEvent[]>> = {
  "queued.ready": [created()],
  "queued.scheduled": [created({ scheduled_at: "2026-01-08T00:00:00.000Z" })],
  "queued.retrying": [created(), started(1), attemptFailed(1, "2026-01-07T10:17:02.000Z")],
  "processing.running": [created(), started(1)],
  "processing.cancelling": [created(), started(1), cancelRequested()],
  completed: [created(), started(1), completed(1)],
  failed: [created(), started(1), failed(1)],
  cancelled: [created(), cancelled()],
  deleted: [created(), cancelled(), deleted()],
};

export interface Scenario {
  readonly given: readonly NewEvent[];
  readonly when: JobCommand;
  /** Milliseconds after {@linkcode START}; default: one step after the last fact. */
  readonly at?: number;
  readonly random?: number;
}

/** What `decide` answers after these facts. */
export function answer({ given, when, at, random = 0 }: Scenario) {
  const state = given.length === 0 ? null : fold(...given);
  const now = at === undefined ? timeOf(given.length + 1) : START + at;
  return decide(state, when, { now, random });
}

/** Given these events, when this command, then these events. */
export function assertEvents(scenario: Scenario, ...then: readonly NewEvent[]): void {
  assertEquals(answer(scenario), { events: then });
}

/** Given these events, when this command, then a refusal. */
export function assertRefused(scenario: Scenario, deed: string, phase: JobPhase): void {
  assertEquals(answer(scenario), { refused: { deed, phase } });
}
