/**
 * Where a caller is in a job's feed, in a form that a restored log can tell from that of the log before.
 *
 * After a restore the same versions are given out again, to other events. So an event's id is its version, and, when it was
 * written after a restore, a point and the number of restores before it.
 *
 * @module
 */
import type { Job } from "../actors/job/job.ts";
import type { JobQueries } from "../actors/jobs.ts";
import type { EventEnvelope } from "../events/event.ts";
import { ProblemError } from "./problem.ts";

export interface FeedPlace {
  /** Of the last event that was seen; 0 before the first. */
  readonly version: number;
  /** How often the log had been restored when it was written. */
  readonly generation: number;
}

const FORM = /^(\d{1,15})(?:\.([1-9]\d{0,5}))?$/;

/** @param logIds Of the logs that the log was restored from, oldest first, and its own. */
export function feedId({ version, log_id }: EventEnvelope, logIds: readonly string[]): string {
  const generation = logIds.indexOf(log_id);
  return generation > 0 ? `${version}.${generation}` : String(version);
}

export function parseFeedId(text: string): FeedPlace | undefined {
  const [, version, generation = "0"] = FORM.exec(text) ?? [];
  return version === undefined ? undefined : { version: Number(version), generation: Number(generation) };
}

/** @throws {ProblemError} 410 with `last_event_id`, if what the caller saw last is not in this log. */
export async function mustHaveSeen(queries: JobQueries, job: Job, place: FeedPlace): Promise<void> {
  const { version, generation } = place;
  if (version === 0) return;
  const logIds = queries.logIds();
  const [seen] = await queries.history(job.id, version - 1, 1) ?? [];
  if (seen && logIds.indexOf(seen.log_id) === generation) return;
  const history = await queries.history(job.id, 0, Math.min(version, job.version)) ?? [];
  const common = history.findLast(({ log_id }) => logIds.indexOf(log_id) <= generation);
  throw new ProblemError(
    410,
    "The log was restored from before the last event that was seen: go on after last_event_id, and take what was seen " +
      "since then as not having happened",
    {},
    undefined,
    { last_event_id: common ? feedId(common, logIds) : "0" },
  );
}
