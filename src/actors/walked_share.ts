/**
 * How far a walk over jobs has come, newest first, when nobody knows how many there are: by its place in the log.
 *
 * @module
 */
import { positionIn } from "./job/id.ts";
import type { JobFilter } from "./jobs.ts";
import type { ReadableLog } from "./jobs_in_log.ts";
import { eventsBy } from "./log_moments.ts";

/**
 * Answers which share, 0 to 1, of the positions that the filter's times leave was walked over, all down to a job's id.
 *
 * @param end Position at which the walk begins.
 */
export async function walkedShare(
  log: ReadableLog,
  { createdAfter, createdBefore }: JobFilter,
  end: number,
): Promise<(downTo: string) => number> {
  const first = createdAfter === undefined ? 0 : await eventsBy(log, createdAfter);
  const top = createdBefore === undefined ? end : Math.min(end, await eventsBy(log, createdBefore));
  const all = Math.max(1, top - first);
  return (downTo) => Math.min(1, Math.max(0, (top - positionIn(downTo)) / all));
}
