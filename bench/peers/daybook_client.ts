/**
 * Daybook in the process of its caller, on a file of its own.
 *
 * @module
 */
import { join } from "node:path";
import { carryOut } from "./assignment.ts";
import { completionsOf, createNoop, createNoops, openNoopRuntime } from "../noop_runtime.ts";
import type { JobSystem, WorkerSettings } from "./work.ts";

const RECOMMENDED_CONCURRENCY = 100;

await carryOut(open);

async function open(folder: string, name: string, { concurrency }: WorkerSettings): Promise<JobSystem> {
  const runtime = await openNoopRuntime({
    path: join(folder, `${name}.kv`),
    concurrency: concurrency === "recommended" ? RECOMMENDED_CONCURRENCY : concurrency,
  });
  let started = false;

  return {
    add: () => createNoop(runtime),
    addBatch: (jobs) => createNoops(runtime, jobs),
    work: () => {
      runtime.start();
      started = true;
      return Promise.resolve();
    },
    completions: completionsOf(runtime),
    counts: async () => {
      const { by_status: { queued, processing, completed } } = await runtime.jobs.queries.stats();
      return { completed, waiting: queued + processing };
    },
    // The supervisor of a runtime that was never started has nothing to stop.
    [Symbol.asyncDispose]: () => started ? runtime.stop() : runtime.log.close(),
  };
}
