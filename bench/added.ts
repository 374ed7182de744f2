/**
 * Jobs added one by one while no worker runs.
 *
 * @module
 */
import type { Runtime } from "../src/actors/runtime.ts";
import { keepInFlight } from "./keep_in_flight.ts";
import type { Measurement } from "./measurement.ts";
import { createNoop } from "./noop_runtime.ts";
import { measureWorkload } from "./workload.ts";

export function added(jobsInFlight: number): Measurement {
  const name = "added";
  return {
    name,
    measure: async (bench) => [
      await measureWorkload(bench, {
        name,
        what: `added one by one, ${jobsInFlight} in flight, no workers`,
        concurrency: 1,
        jobs: bench.sizes.waiting,
        prepare: (runtime) => addJobs(runtime, bench.sizes.warmUp, jobsInFlight),
        run: (runtime, jobs) => addJobs(runtime, jobs, jobsInFlight),
        leaves: "queued",
        // The supervisor of a runtime that was never started has nothing to stop.
        close: (runtime) => runtime.log.close(),
      }),
    ],
  };
}

/** @param runtime One that was not started. */
export async function addJobs(runtime: Runtime, jobs: number, jobsInFlight: number): Promise<void> {
  await keepInFlight(jobs, jobsInFlight, async () => {
    await createNoop(runtime);
  });
}
