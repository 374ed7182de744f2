/**
 * The job queries behind the HTTP interface: committed state only.
 *
 * @module
 */
import type { Clock } from "../events/clock.ts";
import type { EventEnvelope, StoredEvent } from "../events/event.ts";
import type { EventLog } from "../events/event_log.ts";
import type { Store } from "../events/store.ts";
import { readHeld } from "./attempt_pool.ts";
import { type JobCounts, noCounts, type StatusCounts } from "./job/counts.ts";
import { POSITIONS_PER_CHUNK } from "./job/evolve.ts";
import { type Job, JOB_STATUSES } from "./job/job.ts";
import { chunkKey } from "./job/keys.ts";
import type { JobChange } from "./job/projector.ts";
import { decodeJson } from "./job/row.ts";
import type { RunningJobs } from "./job/running.ts";
import { isFinal, type JobState, toJob } from "./job/state.ts";
import { type JobListSources, listJobs } from "./job_list.ts";
import type { JobStates } from "./job_states.ts";
import type { JobFilter, JobQueries, JobStats } from "./jobs.ts";
import { oldestReadyAt } from "./oldest_waiting.ts";
import type { StoredJobs } from "./stored_jobs.ts";

export interface JobQueryServiceOptions {
  readonly log: EventLog<JobChange>;
  readonly store: Store;
  readonly stored: StoredJobs;
  readonly states: JobStates;
  readonly counts: JobCounts;
  readonly running: RunningJobs;
  readonly clock: Clock;
}

/** How many past events a follower reads at a time. */
const FOLLOW_PAGE = 500;

export class JobQueryService implements JobQueries {
  readonly #options: JobQueryServiceOptions;
  readonly #lists: JobListSources;
  /** Called with each change of a job that somebody follows. */
  readonly #followers = new Map<string, Set<(state: JobState, events: readonly EventEnvelope[]) => void>>();

  constructor(options: JobQueryServiceOptions) {
    this.#options = options;
    const { log, clock } = options;
    this.#lists = { ...options, now: () => Math.max(clock.now(), log.time) };
    options.log.listen({
      landed: (appends) => {
        if (this.#followers.size === 0) return;
        for (const { change: { after }, events } of appends) {
          for (const follow of [...this.#followers.get(after.id) ?? []]) {
            follow(after, events.map(({ event }) => event));
          }
        }
      },
    });
  }

  async get(id: string): Promise<Job | undefined> {
    const state = await this.#options.states.committed(id);
    return state && state.phase !== "deleted" ? await this.show(state) : undefined;
  }

  /** The job as its users see it, with payload and result read if its state only points to them. */
  async show(state: JobState): Promise<Job> {
    const { log } = this.#options;
    const payload = "inline" in state.payload
      ? state.payload.inline
      : await readHeld(log, state.payload, "payload");
    const result = state.result === null ? null : await readHeld(log, state.result, "result");
    return toJob(state, payload, result);
  }

  async waitUntilFinal(id: string, timeoutMs: number, signal: AbortSignal): Promise<Job | undefined> {
    const { states, clock } = this.#options;
    const over = Promise.withResolvers<void>();
    const stop = this.#follow(id, (state) => isFinal(state.phase) && over.resolve());
    const timer = clock.setTimeout(over.resolve, timeoutMs);
    const abort = () => over.resolve();
    signal.addEventListener("abort", abort, { once: true });
    try {
      const state = await states.committed(id);
      if (state && !isFinal(state.phase) && !signal.aborted) await over.promise;
      return await this.get(id);
    } finally {
      stop();
      clock.clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  async list(
    filter: JobFilter,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<{ jobs: Job[]; next: string | undefined }> {
    const { states, next } = await listJobs(this.#lists, filter, page);
    return { jobs: await Promise.all(states.map((state) => this.show(state))), next };
  }

  async history(id: string, afterVersion: number, limit: number): Promise<EventEnvelope[] | undefined> {
    const state = await this.#options.states.committed(id);
    return state && state.phase !== "deleted" ? await this.#events(state, afterVersion, limit) : undefined;
  }

  async *follow(id: string, afterVersion: number, signal: AbortSignal): AsyncIterable<EventEnvelope> {
    const { states } = this.#options;
    const news: EventEnvelope[] = [];
    let wake = () => {};
    const stop = this.#follow(id, (_, events) => {
      news.push(...events);
      wake();
    });
    const abort = () => wake();
    signal.addEventListener("abort", abort);
    try {
      let version = afterVersion;
      let state = await states.committed(id);
      if (!state || state.phase === "deleted") return;
      // The job may be deleted meanwhile; that is then the last of what is past.
      for (let past; (past = await this.#events(state, version, FOLLOW_PAGE)).length > 0;) {
        for (const event of past) {
          if (signal.aborted) return;
          yield event;
          version = event.version;
          if (event.type === "job.deleted") return;
        }
        state = await states.committed(id) ?? state;
      }
      while (!signal.aborted) {
        const event = news.shift();
        if (!event) {
          await new Promise<void>((resolve) =>
            news.length > 0 || signal.aborted ? resolve() : wake = resolve
          );
        } else if (event.version > version) {
          yield event;
          version = event.version;
          if (event.type === "job.deleted") return;
        }
      }
    } finally {
      stop();
      signal.removeEventListener("abort", abort);
    }
  }

  logIds(): readonly string[] {
    return this.#options.log.logIds;
  }

  async stats(): Promise<JobStats> {
    const { counts, clock, log } = this.#options;
    const by_status = noCounts();
    // A queue may bear a name that every object has already, such as `constructor`.
    const byType = new Map<string, StatusCounts>();
    const byQueue = new Map<string, StatusCounts>();
    for (const lane of counts.lanes()) {
      const type = byType.get(lane.jobType) ?? noCounts();
      const queue = byQueue.get(lane.queue) ?? noCounts();
      byType.set(lane.jobType, type);
      byQueue.set(lane.queue, queue);
      for (const status of JOB_STATUSES) {
        by_status[status] += lane.counts[status];
        type[status] += lane.counts[status];
        queue[status] += lane.counts[status];
      }
    }
    const now = Math.max(clock.now(), log.time);
    const waiting = [...byQueue].filter(([, { queued }]) => queued > 0).map(([queue]) => queue);
    const oldest = await oldestReadyAt(this.#options, waiting);
    return {
      total: JOB_STATUSES.reduce((sum, status) => sum + by_status[status], 0),
      by_status,
      by_type: Object.fromEntries(byType),
      by_queue: Object.fromEntries(byQueue),
      oldest_waiting_seconds: oldest === undefined || oldest > now ? null : (now - oldest) / 1000,
      throughput: { last_minute: counts.finals(now, 1), last_hour: counts.finals(now, 60) },
    };
  }

  ready(): { readonly ready: true } | { readonly ready: false; readonly why: string } {
    const { health } = this.#options.log;
    return health.ok ? { ready: true } : { ready: false, why: health.why };
  }

  /** All events of the job, also of a deleted one. */
  async past(state: JobState): Promise<StoredEvent[]> {
    return await this.#options.log.readAt(await this.#positions(state, 0, state.version));
  }

  /** The events with versions from `afterVersion + 1` on, at most `limit`, of a deleted job too. */
  async #events(state: JobState, afterVersion: number, limit: number): Promise<EventEnvelope[]> {
    const stored = await this.#options.log.readAt(await this.#positions(state, afterVersion, limit));
    return stored.map(({ event }) => event);
  }

  /** Positions of the events with versions from `afterVersion + 1` on. */
  async #positions(state: JobState, afterVersion: number, limit: number): Promise<number[]> {
    const spilled = state.version - state.positions.length;
    const chunks: number[] = [];
    const first = Math.floor(Math.min(afterVersion, spilled) / POSITIONS_PER_CHUNK);
    const last = Math.min(spilled, afterVersion + limit) / POSITIONS_PER_CHUNK;
    for (let chunk = first; chunk < last; chunk++) chunks.push(chunk);
    const values = await this.#options.store.getMany(chunks.map((chunk) => chunkKey(state.id, chunk)));
    const older = values.flatMap((value) => decodeJson<number[]>(value!));
    const from = chunks.length > 0 ? first * POSITIONS_PER_CHUNK : spilled;
    const all = chunks.length > 0 && from + older.length < spilled ? older : [...older, ...state.positions];
    return all.slice(afterVersion - from, afterVersion - from + limit);
  }

  #follow(id: string, follower: (state: JobState, events: readonly EventEnvelope[]) => void): () => void {
    const followers = this.#followers.get(id) ?? new Set();
    this.#followers.set(id, followers.add(follower));
    return () => {
      followers.delete(follower);
      if (followers.size === 0) this.#followers.delete(id);
    };
  }
}
