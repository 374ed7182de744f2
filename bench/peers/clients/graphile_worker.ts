/**
 * Graphile Worker as its documentation has it: a runner with a pool of connections, and utilities that add jobs.
 *
 * @module
 */
import { EventEmitter } from "node:events";
import { Logger, makeWorkerUtils, run, type Runner, WorkerPreset } from "graphile-worker";
import { carryOut } from "../assignment.ts";
import { type JobSystem, PAYLOAD, type WorkerSettings } from "../work.ts";

/** The preset of https://worker.graphile.org/docs/performance. */
const RECOMMENDED = {
  concurrentJobs: 24,
  maxPoolSize: 25,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};
/** Connections for adding; PostgreSQL's default is a hundred in all, and 64 jobs at once take 65. */
const ADDING_POOL_SIZE = 30;
const TASK = "noop";

await carryOut(open);

async function open(address: string, schema: string, { concurrency }: WorkerSettings): Promise<JobSystem> {
  const shared = {
    extends: [WorkerPreset],
    worker: { connectionString: address, schema, logger: new Logger(() => () => {}) },
  };
  const utils = await makeWorkerUtils({
    preset: { ...shared, worker: { ...shared.worker, maxPoolSize: ADDING_POOL_SIZE } },
  });
  await utils.migrate();
  const events = new EventEmitter();
  let runner: Runner | undefined;
  let completed = 0;
  events.on("job:success", () => completed++);

  return {
    add: async (payload) => String((await utils.addJob(TASK, payload)).id),
    addBatch: async (jobs) => {
      await utils.addJobs(Array(jobs).fill({ identifier: TASK, payload: PAYLOAD }));
    },
    work: async () => {
      const worker = concurrency === "recommended"
        ? RECOMMENDED
        : { concurrentJobs: concurrency, maxPoolSize: concurrency + 1 };
      runner = await run({
        preset: { ...shared, worker: { ...shared.worker, ...worker } },
        taskList: { [TASK]: () => {} },
        parsedCronItems: [],
        noHandleSignals: true,
        events,
      });
    },
    completions: (tellCompleted) => {
      const tell = ({ job }: { job: { id: string } }) => tellCompleted(String(job.id));
      events.on("job:success", tell);
      return () => events.off("job:success", tell);
    },
    // What is completed is deleted, so nothing else can count it.
    counts: async () => {
      const { rows } = await utils.withPgClient((client) =>
        client.query(`SELECT count(*)::int AS waiting FROM "${schema}".jobs`)
      );
      return { completed, waiting: rows[0].waiting };
    },
    [Symbol.asyncDispose]: async () => {
      await runner?.stop();
      await utils.release();
    },
  };
}
