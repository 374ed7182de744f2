/**
 * No-op jobs created one by one and completed, a fixed number in flight, three durable events each.
 *
 * @module
 */
import type { Runtime } from "../src/actors/runtime.ts";
import { Completions } from "./completions.ts";
import { keepInFlight } from "./keep_in_flight.ts";
import type { Measurement } from "./measurement.ts";
import { completionsOf, createNoop } from "./noop_runtime.ts";
import { measureWorkload } from "./workload.ts";

/** As many handlers may run at once as jobs are in flight. */
export function inFlight(jobsInFlight: number): Measurement {
  const name = `in_flight_${jobsInFlight}`;
  return {
    name,
    measure: async (bench) => [
      await measureWorkload(bench, {
        name,
        what: `created to completed, ${jobsInFlight} in flight`,
        concurrency: jobsInFlight,
        jobs: bench.sizes.jobs,
        prepare: async (runtime) => {
          runtime.start();
          await createAndComplete(runtime, bench.sizes.warmUp, jobsInFlight);
        },
        run: (runtime, jobs) => createAndComplete(runtime, jobs, jobsInFlight),
        leaves: "completed",
        close: (runtime) => runtime.stop(),
      }),
    ],
  };
}

async function createAndComplete(runtime: Runtime, jobs: number, jobsInFlight: number): Promise<void> {
  const completions = new Completions(completionsOf(runtime), jobs);
  await keepInFlight(jobs, jobsInFlight, async () => completions.of(await createNoop(runtime)));
  await completions.all();
}
