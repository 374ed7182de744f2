/**
 * Waiting jobs drained: from the start of the workers to the last completion.
 *
 * @module
 */
import { addJobs } from "./added.ts";
import { Completions } from "./completions.ts";
import type { Measurement } from "./measurement.ts";
import { completionsOf } from "./noop_runtime.ts";
import { measureWorkload } from "./workload.ts";

const ADDED_IN_FLIGHT = 64;

export function drained(concurrency: number): Measurement {
  const name = `drained_${concurrency}`;
  return {
    name,
    measure: async (bench) => [
      await measureWorkload(bench, {
        name,
        what: `waiting jobs drained, concurrency ${concurrency}`,
        concurrency,
        jobs: bench.sizes.waiting,
        prepare: (runtime, jobs) => addJobs(runtime, jobs, ADDED_IN_FLIGHT),
        run: async (runtime, jobs) => {
          const completions = new Completions(completionsOf(runtime), jobs);
          runtime.start();
          await completions.all();
        },
        leaves: "completed",
        close: (runtime) => runtime.stop(),
      }),
    ],
  };
}
