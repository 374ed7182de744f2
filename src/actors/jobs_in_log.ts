/**
 * The source of lists that needs no index: the log, read backwards. Ids are in the order of the first events.
 *
 * @module
 */
import type { EventLog } from "../events/event_log.ts";
import { firstIdAt } from "../events/ids.ts";
import { jobIdOf } from "./job/events.ts";
import { lowestJobId, positionIn, timeIn } from "./job/id.ts";
import type { JobChange } from "./job/projector.ts";
import type { ListSource } from "./list_source.ts";
import { eventsBy } from "./log_moments.ts";

export type ReadableLog = Pick<EventLog<JobChange>, "find" | "listen" | "position" | "read" | "time">;

/** Events that a part passes over, at most, give or take those of its last read. */
const MOST_EVENTS = 1_000;
const EVENTS_PER_READ = 500;

/** All jobs, also deleted ones. */
export function jobsInLog(log: ReadableLog): ListSource {
  return async ({ first, end }, want) => {
    const jobs: { id: string }[] = [];
    let position = await positionBefore(log, end);
    const lowest = Math.max(0, position - MOST_EVENTS);
    while (position > lowest) {
      const from = Math.max(lowest, position - EVENTS_PER_READ);
      const events = await log.read(from, position - from);
      for (const { event } of events.reverse()) {
        if (event.type !== "job.created") continue;
        const id = jobIdOf(event.stream);
        if (id >= end) continue;
        if (id < first) return { jobs, floor: undefined };
        jobs.push({ id });
        if (jobs.length === want) return { jobs, floor: id };
      }
      position = from;
      const oldest = events.at(-1)!.event.time;
      if (Date.parse(oldest) < timeIn(first || firstIdAt(0))) return { jobs, floor: undefined };
    }
    if (position === 0) return { jobs, floor: undefined };
    const [next] = await log.read(position, 1);
    const { type, time, stream } = next!.event;
    // The id of a job is drawn before its first event is dated.
    const floor = type === "job.created" ? jobIdOf(stream) : lowestJobId(Date.parse(time), position);
    return { jobs, floor };
  };
}

/** Position from which on no event is the first of a job below `end`. */
export async function positionBefore(log: ReadableLog, end: string): Promise<number> {
  const time = timeIn(end);
  if (end !== firstIdAt(time)) return Math.min(positionIn(end), log.position);
  // An id is of no earlier time than the event before its job's first.
  return time > log.time ? log.position : Math.min(log.position, await eventsBy(log, time - 1) + 1);
}
