/**
 * What of a job is in the store, and what stands for the rest.
 *
 * A commit pays for each key, so nothing is written that the log says as quickly: a job whose history is one event is
 * that event, which its id leads to; and a start leaves the row as it was, since `["r"]` names the event to add to it.
 *
 * @module
 */
import { positionIn, timeIn } from "./id.ts";
import { type JobState, statusOf } from "./state.ts";

/** Whether the first event, which the id leads to, stands for the row. */
export function needsNoRow({ id, version, positions }: JobState): boolean {
  return version === 1 && positions[0] === positionIn(id);
}

/** Whether nothing has happened since the job was started, so that its row is still that of the job before. */
export function isJustStarted({ phase, version, startVersion }: JobState): boolean {
  return version === startVersion && statusOf(phase) === "processing";
}

/**
 * Whether the order of choice serves the lists too: a job that waits since it was created stands there in the order of
 * the ids.
 */
export function isListedByDue({ id, phase, readyAt }: JobState): boolean {
  return readyAt === timeIn(id) && statusOf(phase) === "queued";
}
