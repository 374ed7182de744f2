/**
 * A job as the log says it is, and the entries that it should have in the store.
 *
 * @module
 */
import { evolve } from "../actors/job/evolve.ts";
import { jobEntries } from "../actors/job/projector.ts";
import { isFinal, type JobState } from "../actors/job/state.ts";
import { rowPlaceOf } from "../actors/job/stored.ts";
import type { StoredEvent } from "../events/event.ts";
import type { StoreEntry } from "../events/store.ts";

/**
 * `evolve` for events that no Daybook may have written: answers only states that entries can be made of.
 *
 * @throws {TypeError} If the data is of another form.
 */
export function evolveChecked(state: JobState | null, stored: StoredEvent): JobState | null {
  const after = evolve(state, stored);
  if (after && !hasKeyParts(after)) throw new TypeError("a field is missing or of another type");
  return after;
}

/** Of a whole history; `undefined` when it cannot be folded. */
export function foldAll(history: readonly StoredEvent[]): JobState | undefined {
  try {
    return history.reduce<JobState | null>(evolveChecked, null) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Whether the job has a row that is most likely its last. */
export function isDoneWith(state: JobState): boolean {
  return isFinal(state.phase) && rowPlaceOf(state) !== "log";
}

/** The job's row and index entries, whose keys end in its id. */
export function entriesOf(state: JobState): StoreEntry[] {
  return jobEntries(state).filter(({ key }) => key[key.length - 1] === state.id);
}

/** Whether all that the job's keys are made of is of its type. */
function hasKeyParts({ jobType, queue, readyAt, tags, idempotency }: JobState): boolean {
  return typeof jobType === "string" && typeof queue === "string" && Number.isFinite(readyAt) &&
    Array.isArray(tags) && tags.every((tag) => typeof tag === "string") &&
    (idempotency === null ||
      typeof idempotency?.key_hash === "string" && Number.isFinite(Date.parse(idempotency.expires_at)));
}
