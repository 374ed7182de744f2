/**
 * The works that every job system does, and what it must be able to do for them.
 *
 * Imported by the clients too, which have packages of their own: so nothing is imported here that needs a package.
 *
 * @module
 */
import { Completions, type CompletionSource } from "../completions.ts";
import { keepInFlight } from "../keep_in_flight.ts";

/** An empty queue of no-op jobs and, from {@linkcode work} on, a worker. */
export interface JobSystem extends AsyncDisposable {
  /** Adds one job; answers its id when it is acknowledged. */
  add(payload: unknown): Promise<string>;
  /** Adds many at once, as the system's documentation recommends. */
  addBatch(jobs: number): Promise<void>;
  /** Starts the worker. */
  work(): Promise<void>;
  /** Tells of each job that is completed. */
  readonly completions: CompletionSource;
  /** As the system's own store counts them. */
  counts(): Promise<Counts>;
}

export interface Counts {
  /** Neither completed nor given up. */
  readonly waiting: number;
  readonly completed: number;
}

export interface WorkerSettings {
  /** Jobs that run at once; `recommended`: this and all else as the system's documentation has it for throughput. */
  readonly concurrency: number | "recommended";
}

export interface Work {
  readonly what: string;
  readonly worker: WorkerSettings;
  /** What is done before the clock starts. */
  prepare(system: JobSystem, jobs: number): Promise<void>;
  /** What is timed. */
  run(system: JobSystem, jobs: number): Promise<void>;
  /** What the jobs are afterwards. */
  readonly leaves: keyof Counts;
}

/** What each peer's job carries; Daybook's carry the same. */
export const PAYLOAD = { n: 1 };
export const POSTING_CONNECTIONS = 64;
const IN_FLIGHT = 64;
const BATCH_JOBS = 500;
const BATCHES_IN_FLIGHT = 4;
const POLL_MS = 2;

export const WORKS = {
  in_flight: {
    what: `created to completed, ${IN_FLIGHT} in flight`,
    worker: { concurrency: IN_FLIGHT },
    prepare: (system) => system.work(),
    run: async (system, jobs) => {
      const completions = new Completions(system.completions, jobs);
      await keepInFlight(jobs, IN_FLIGHT, async () => completions.of(await system.add(PAYLOAD)));
      await completions.all();
      await untilNoneWaits(system);
    },
    leaves: "completed",
  },
  streamed: {
    what: `added one by one, ${IN_FLIGHT} in flight, beside a worker as recommended`,
    worker: { concurrency: "recommended" },
    prepare: (system) => system.work(),
    run: async (system, jobs) => {
      const completions = new Completions(system.completions, jobs);
      await keepInFlight(jobs, IN_FLIGHT, async () => {
        await system.add(PAYLOAD);
      });
      await completions.all();
      await untilNoneWaits(system);
    },
    leaves: "completed",
  },
  batches: {
    what: `added in batches of ${BATCH_JOBS}, ${BATCHES_IN_FLIGHT} in flight`,
    worker: { concurrency: 1 },
    prepare: async () => {},
    run: addInBatches,
    leaves: "waiting",
  },
  drained_10: drained("drained, concurrency 10", 10),
  drained_best: drained("drained as recommended", "recommended"),
} satisfies Record<string, Work>;

/** Done in the process of the caller, or, `posted`, over HTTP: `posted.ts`. */
export type WorkName = keyof typeof WORKS | "posted";

/** What each work is, in the order of the table. */
export const WORK_TITLES: Readonly<Record<WorkName, string>> = {
  in_flight: WORKS.in_flight.what,
  streamed: WORKS.streamed.what,
  posted: `posted over HTTP, ${POSTING_CONNECTIONS} connections`,
  batches: WORKS.batches.what,
  drained_10: WORKS.drained_10.what,
  drained_best: WORKS.drained_best.what,
};
export const WORK_NAMES = Object.keys(WORK_TITLES) as WorkName[];

function drained(what: string, concurrency: WorkerSettings["concurrency"]): Work {
  return {
    what,
    worker: { concurrency },
    prepare: addInBatches,
    run: async (system, jobs) => {
      const completions = new Completions(system.completions, jobs);
      await system.work();
      await completions.all();
      await untilNoneWaits(system);
    },
    leaves: "completed",
  };
}

async function addInBatches(system: JobSystem, jobs: number): Promise<void> {
  let left = jobs;
  await keepInFlight(Math.ceil(jobs / BATCH_JOBS), BATCHES_IN_FLIGHT, async () => {
    const size = Math.min(BATCH_JOBS, left);
    left -= size;
    await system.addBatch(size);
  });
}

/** Graphile Worker tells that a job is completed before that is in its database. */
async function untilNoneWaits(system: JobSystem): Promise<void> {
  while ((await system.counts()).waiting > 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
