/**
 * `evolve`: applying one event. Total: a fact cannot be refused, so history always loads.
 *
 * @module
 */
import type { StoredEvent } from "../../events/event.ts";
import { parseIsoTime } from "../../events/iso_time.ts";
import type { JsonObject } from "../../handlers/handler.ts";
import { type JobEvent, type JobEventData, jobIdOf } from "./events.ts";
import { positionIn, timeIn } from "./id.ts";
import type { Held, JobState } from "./state.ts";
import { isFirst } from "./stored.ts";
import { nextPhase } from "./transition_table.ts";

/** An event up to this size has its payload or result in the job's state; a larger one is pointed to. */
const INLINE_BYTES = 2 * 1024;

/** Positions kept in the row; when they are twice as many, the older half goes into a chunk. */
export const POSITIONS_PER_CHUNK = 64;

/**
 * The state after `stored`. An event that the machine does not know in this phase leaves the phase as it is.
 *
 * @param state `null` before the first event.
 */
export function evolve(state: JobState | null, stored: StoredEvent): JobState | null {
  const { event } = stored;
  const fact = event as unknown as JobEvent;
  if (state === null) {
    return fact.type === "job.created" ? created(stored, fact.data) : null;
  }
  const time = parseIsoTime(event.time);
  return {
    ...state,
    ...changed(state, time, fact, stored),
    phase: nextPhase(state.machineVersion, state.phase, event) ?? state.phase,
    version: event.version,
    updatedAt: time,
    positions: remember(state.positions, event.position),
    origin: state.origin ?? (isFirst(state) ? state : null),
  };
}

function created({ event, bytes }: StoredEvent, data: JobEventData["job.created"]): JobState {
  const id = jobIdOf(event.stream);
  const time = parseIsoTime(event.time);
  const scheduledAt = parseTime(data.scheduled_at);
  // In the order of the ids, so that the order of choice can serve the lists.
  const waitsFrom = positionIn(id) === event.position ? timeIn(id) : time;
  return {
    id,
    phase: nextPhase(event.machine_version, "absent", event) ?? "queued.ready",
    machineVersion: event.machine_version,
    version: event.version,
    jobType: data.job_type,
    queue: data.queue,
    priority: data.priority,
    payload: hold(data.payload, event.position, bytes.length),
    result: null,
    errorMessage: null,
    attempt: 0,
    retryCount: 0,
    maxRetries: data.max_retries,
    interruptCount: 0,
    nextRetryAt: null,
    scheduledAt,
    readyAt: scheduledAt === null ? waitsFrom : waitsSince(scheduledAt, time),
    timeoutSeconds: data.timeout_seconds,
    backoff: data.backoff,
    progress: null,
    cancelRequestedAt: null,
    cancelReason: null,
    createdBy: event.actor,
    createdAt: time,
    updatedAt: time,
    startedAt: null,
    startVersion: null,
    completedAt: null,
    tags: data.tags,
    idempotency: data.idempotency,
    positions: [event.position],
    origin: null,
  };
}

type Changes = { -readonly [Field in keyof JobState]?: JobState[Field] };

/** What the event changes besides phase, version, update time and positions. */
function changed(
  state: JobState,
  time: number,
  fact: JobEvent,
  { event, bytes }: StoredEvent,
): Changes {
  switch (fact.type) {
    case "job.history_limited":
      return { historyLimited: true };
    case "job.updated":
      return updated(fact.data, time, event.position, bytes.length);
    case "job.started":
      return {
        attempt: fact.data.attempt,
        startedAt: time,
        startVersion: event.version,
        nextRetryAt: null,
        progress: null,
      };
    case "job.progressed":
      return { progress: { percent: fact.data.percent, note: fact.data.note } };
    case "job.attempt_failed": {
      const nextRetryAt = parseIsoTime(fact.data.next_retry_at);
      return {
        errorMessage: fact.data.error_message,
        retryCount: fact.data.retry_count,
        interruptCount: 0,
        nextRetryAt,
        readyAt: nextRetryAt,
        progress: fact.data.progress ?? state.progress,
      };
    }
    case "job.completed":
      return {
        result: fact.data.result === null ? null : hold(fact.data.result, event.position, bytes.length),
        interruptCount: 0,
        completedAt: time,
        progress: fact.data.progress ?? state.progress,
      };
    case "job.failed":
      return {
        errorMessage: fact.data.error_message,
        interruptCount: fact.data.interrupt_count,
        completedAt: time,
        progress: fact.data.progress ?? state.progress,
      };
    case "job.interrupted": {
      const nextRetryAt = parseTime(fact.data.next_retry_at);
      return {
        interruptCount: fact.data.interrupt_count,
        nextRetryAt,
        readyAt: nextRetryAt ?? state.readyAt,
      };
    }
    case "job.cancel_requested":
      return { cancelRequestedAt: time, cancelReason: event.reason };
    case "job.cancelled":
      return {
        completedAt: time,
        nextRetryAt: null,
        cancelRequestedAt: state.cancelRequestedAt ?? time,
        cancelReason: state.cancelRequestedAt === null ? event.reason : state.cancelReason,
        progress: fact.data.progress ?? state.progress,
      };
    case "job.retried":
      return {
        retryCount: 0,
        interruptCount: 0,
        result: null,
        completedAt: null,
        scheduledAt: null,
        cancelRequestedAt: null,
        cancelReason: null,
        readyAt: time,
      };
    // The rest changes the phase alone, as does an event that only a newer Daybook knows.
    default:
      return {};
  }
}

function updated(data: JobEventData["job.updated"], time: number, position: number, bytes: number): Changes {
  const changes: Changes = {};
  if (data.payload !== undefined) changes.payload = hold(data.payload, position, bytes);
  if (data.queue !== undefined) changes.queue = data.queue;
  if (data.priority !== undefined) changes.priority = data.priority;
  if (data.max_retries !== undefined) changes.maxRetries = data.max_retries;
  if (data.timeout_seconds !== undefined) changes.timeoutSeconds = data.timeout_seconds;
  if (data.backoff !== undefined) changes.backoff = data.backoff;
  if (data.tags !== undefined) changes.tags = data.tags;
  if (data.scheduled_at !== undefined) {
    changes.scheduledAt = parseTime(data.scheduled_at);
    changes.nextRetryAt = null;
    changes.readyAt = waitsSince(changes.scheduledAt, time);
  }
  return changes;
}

function hold(value: JsonObject, position: number, eventBytes: number): Held {
  return eventBytes <= INLINE_BYTES ? { inline: value } : { position };
}

function remember(positions: readonly number[], position: number): number[] {
  const all = [...positions, position];
  return all.length > 2 * POSITIONS_PER_CHUNK ? all.slice(POSITIONS_PER_CHUNK) : all;
}

/** A time in the past makes no job older than it is, or it would go before those that really wait. */
function waitsSince(scheduledAt: number | null, time: number): number {
  return scheduledAt === null ? time : Math.max(scheduledAt, time);
}

function parseTime(text: string | null): number | null {
  return text === null ? null : parseIsoTime(text);
}
