/**
 * Finds jobs in the lists of their types, where those of types without a handler are not in the way as they are in the
 * order of choice.
 *
 * @module
 */
import type { Store } from "../events/store.ts";
import { JOB_PRIORITIES } from "./job/job.ts";
import { laneKey } from "./job/keys.ts";
import { isQueued, type JobState } from "./job/state.ts";
import { waitsSinceCreation } from "./job/stored.ts";
import type { FoundJob } from "./stored_jobs.ts";
import type { Lane } from "./waiting_positions.ts";

export interface TypeLists {
  readonly store: Store;
  /** The types that have handlers. */
  readonly jobTypes: () => readonly string[];
  /** The committed states, in the same order. */
  readonly read: (jobs: readonly FoundJob[]) => Promise<readonly (JobState | null)[]>;
}

/**
 * All jobs of types with handlers that wait in this queue and priority, but for those that do so since they were created.
 *
 * @param most When more than these wait in the queue, the answer is `undefined`.
 */
export async function dueByType(
  { store, jobTypes, read }: TypeLists,
  { queue, rank }: Lane,
  most: number,
): Promise<JobState[] | undefined> {
  const lists = await Promise.all(
    jobTypes().map((jobType) =>
      store.list({ prefix: laneKey("queued", queue, jobType) }, { limit: most + 1 })
    ),
  );
  const found = lists.flat();
  if (found.length > most) return undefined;
  const states = await read(found.map(({ key, value }) => ({ id: key.at(-1) as string, entry: value })));
  return states.filter((state) => state !== null).filter((state) =>
    isQueued(state.phase) && !waitsSinceCreation(state) && state.queue === queue &&
    JOB_PRIORITIES.indexOf(state.priority) === rank
  );
}
