/**
 * Log, states and command processor on a store in memory, with no supervisor: for tests of what is written.
 *
 * @module
 */
import { newJobId } from "../../../src/actors/job/id.ts";
import { JobCounts } from "../../../src/actors/job/counts.ts";
import { type JobChange, JobProjector } from "../../../src/actors/job/projector.ts";
import { WaitingJobs } from "../../../src/actors/job/waiting.ts";
import { RunningJobs } from "../../../src/actors/job/running.ts";
import { JobProcessor } from "../../../src/actors/job_processor.ts";
import { JobQueryService } from "../../../src/actors/job_query_service.ts";
import { JobStates } from "../../../src/actors/job_states.ts";
import { StoredJobs } from "../../../src/actors/stored_jobs.ts";
import type { EventMeta } from "../../../src/events/event.ts";
import { EventLog } from "../../../src/events/event_log.ts";
import { monotonicIds } from "../../../src/events/ids.ts";
import { MemoryStore } from "../../../src/events/memory_store.ts";
import type { Store } from "../../../src/events/store.ts";
import { ManualClock } from "../../support/manual_clock.ts";

export const TESTER: EventMeta = { actor: "tester", request_id: null, causation_id: null, reason: null };

export interface LogOfJobsOptions {
  readonly store?: Store;
  readonly clock?: ManualClock;
  readonly random?: () => number;
  /** How long one request to the store may take, in milliseconds. Default: as the log has it. */
  readonly deadlineMs?: number;
}

export async function logOfJobs(options: LogOfJobsOptions = {}) {
  const store = options.store ?? new MemoryStore();
  const clock = options.clock ?? new ManualClock();
  const counts = new JobCounts();
  const running = new RunningJobs();
  const waiting = new WaitingJobs(store);
  const log: EventLog<JobChange> = await EventLog.open<JobChange>({
    store,
    clock,
    projector: new JobProjector(counts, running, waiting),
    newId: monotonicIds(() => clock.now()),
    ...options.deadlineMs !== undefined && { deadlineMs: options.deadlineMs },
  });
  await counts.load(store, clock.now());
  await running.load(store, log);
  waiting.load(log.position);
  const stored = new StoredJobs({ store, log, running });
  const states = new JobStates(stored);
  const processor = new JobProcessor({ log, states, clock, random: options.random ?? (() => 0) });
  const queries = new JobQueryService({ log, store, stored, states, counts, running, clock });
  const now = () => Math.max(clock.now(), log.time);
  const nextJobId = () => newJobId(Math.max(clock.now(), log.time), log.nextPosition);
  return { store, clock, counts, running, log, states, processor, queries, stored, now, newJobId: nextJobId };
}

export type LogOfJobs = Awaited<ReturnType<typeof logOfJobs>>;
