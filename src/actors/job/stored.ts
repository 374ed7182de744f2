/**
 * What of a job is in the store, and what stands for the rest.
 *
 * A commit pays for each key, so nothing is written that the log says as quickly: a job of one event is that event, which
 * its id leads to; of a job that was then started `["r"]` names the start; and any other job's row is the value of its
 * entry in the lists, if it has one that its first event leads to.
 *
 * @module
 */
import { positionIn, timeIn } from "./id.ts";
import { JOB_STATUSES } from "./job.ts";
import { isQueued, type JobState, statusOf } from "./state.ts";

/** Whether the job's history is one event, to which its id leads. */
export function isFirst({ id, version, positions }: JobState): boolean {
  return version === 1 && positions[0] === positionIn(id);
}

/** Whether the job's id leads to its first event, however long its history is. */
export function leadsToFirst(state: JobState): boolean {
  return state.origin !== null || isFirst(state);
}

/** Whether nothing but its start has happened to the job since its first event, to which its id leads. */
export function isJustStarted({ phase, version, startVersion, origin }: JobState): boolean {
  return version === 2 && startVersion === 2 && origin !== null && statusOf(phase) === "processing";
}

/** Whether the job waits since it was created, so that it stands in the order of choice and in the lists by `waiting.ts`. */
export function waitsSinceCreation(state: JobState): boolean {
  const { id, phase, readyAt } = state;
  return isQueued(phase) && readyAt === timeIn(id) && leadsToFirst(state);
}

/** The statuses of jobs that may have entries in the lists. */
export const LISTED_STATUSES = JOB_STATUSES.filter((status) => status !== "processing");

/** Whether the job has an entry in the lists of its own: not while it is processed, or waits since it was created. */
export function isListed(state: JobState): boolean {
  return state.phase !== "deleted" && statusOf(state.phase) !== "processing" && !waitsSinceCreation(state);
}

/**
 * Where a job's row is: nowhere, events stand for it; the value of its entry in the lists; a key of its own, which names
 * nothing but the id; or that of a deleted job.
 */
export type RowPlace = "log" | "lists" | "own" | "tombstone";

export function rowPlaceOf(state: JobState): RowPlace {
  if (state.phase === "deleted") return "tombstone";
  if (isFirst(state) || isJustStarted(state)) return "log";
  // Who has the id alone finds the entry only while the job is in the queue that its first event names.
  return isListed(state) && state.queue === state.origin?.queue ? "lists" : "own";
}
