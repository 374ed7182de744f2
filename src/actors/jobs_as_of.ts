/**
 * Jobs as of a moment in the past: found by walking the log backwards from there, and folded from their events up to there.
 *
 * @module
 */
import type { EventLog } from "../events/event_log.ts";
import { JobNotFoundError, MomentError, NotThenError } from "./errors.ts";
import { jobIdOf } from "./job/events.ts";
import { evolve } from "./job/evolve.ts";
import { newJobId, positionIn } from "./job/id.ts";
import type { Job } from "./job/job.ts";
import type { JobChange } from "./job/projector.ts";
import type { JobState } from "./job/state.ts";
import { matches } from "./job_list.ts";
import type { JobQueryService } from "./job_query_service.ts";
import type { JobStates } from "./job_states.ts";
import { eventsBy } from "./log_moments.ts";
import type { AsOfQueries, JobFilter } from "./jobs.ts";

export interface JobsAsOfOptions {
  readonly log: EventLog<JobChange>;
  readonly states: JobStates;
  readonly queries: JobQueryService;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What a page looks at, and no more. */
const MOST_JOBS = 250;
const MOST_EVENTS = 20_000;
const EVENTS_PER_READ = 1_000;
const JOBS_AT_ONCE = 25;

export class JobsAsOf implements AsOfQueries {
  readonly #options: JobsAsOfOptions;

  constructor(options: JobsAsOfOptions) {
    this.#options = options;
  }

  async get(id: string, at: number): Promise<Job> {
    const { states, queries } = this.#options;
    const end = await this.#eventsBy(at);
    const latest = await states.committed(id);
    if (!latest) throw new JobNotFoundError(id);
    const state = await this.#stateAt(id, end);
    if (!state) {
      const created = new Date(latest.createdAt).toISOString();
      throw new NotThenError(`Job ${id} was not there yet: it was created at ${created}`);
    }
    if (state.phase === "deleted") {
      throw new NotThenError(`Job ${id} was deleted by then, at ${new Date(state.updatedAt).toISOString()}`);
    }
    return await queries.show(state);
  }

  async list(
    filter: JobFilter,
    at: number,
    { limit, after }: { readonly limit: number; readonly after?: string },
  ): Promise<{ jobs: Job[]; next: string | undefined }> {
    const { queries } = this.#options;
    const end = await this.#eventsBy(at);
    let position = Math.min(end, after === undefined ? Infinity : positionIn(after));
    const floor = Math.max(0, position - MOST_EVENTS);
    const jobs: Job[] = [];
    let looked = 0;
    while (position > floor) {
      const created = await this.#createdBefore(position, floor);
      position = Math.max(floor, position - EVENTS_PER_READ);
      for (let i = 0; i < created.length; i += JOBS_AT_ONCE) {
        const some = created.slice(i, i + JOBS_AT_ONCE);
        const states = await Promise.all(some.map(({ id }) => this.#stateAt(id, end)));
        for (const [j, state] of states.entries()) {
          looked += 1;
          if (state && state.phase !== "deleted" && matches(state, filter)) {
            jobs.push(await queries.show(state));
          }
          if (jobs.length === limit || looked === MOST_JOBS) {
            return { jobs, next: cursorAt(some[j]!.position) };
          }
        }
      }
    }
    return { jobs, next: cursorAt(floor) };
  }

  /** Number of events that had happened at the moment. */
  async #eventsBy(at: number): Promise<number> {
    const { log, now } = this.#options;
    if (at > now()) throw new MomentError("The moment has not come yet");
    const end = await eventsBy(log, at);
    if (end > 0) return end;
    const [first] = await log.read(0, 1);
    throw new MomentError(`The moment is before the log began${first ? `, at ${first.event.time}` : ""}`);
  }

  /** The jobs whose creation is among the events before a position that one read takes, the newest first. */
  async #createdBefore(position: number, floor: number): Promise<{ id: string; position: number }[]> {
    const from = Math.max(floor, position - EVENTS_PER_READ);
    const events = await this.#options.log.read(from, position - from);
    return events.filter(({ event }) => event.type === "job.created").reverse()
      .map(({ event }) => ({ id: jobIdOf(event.stream), position: event.position }));
  }

  /** Folded from the job's events before a position; `null` when there were none. */
  async #stateAt(id: string, end: number): Promise<JobState | null> {
    const { states, queries } = this.#options;
    // A deleted job's row says where its events are, too.
    const latest = await states.committed(id);
    const events = latest ? await queries.past(latest) : [];
    return events.filter(({ event }) => event.position < end).reduce<JobState | null>(evolve, null);
  }
}

/** In the form of a job's id, which names a place in the log; none when nothing is before it. */
function cursorAt(position: number): string | undefined {
  return position === 0 ? undefined : newJobId(0, position);
}
