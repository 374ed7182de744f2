/**
 * A file with a history as the server would have written it: completed jobs, some of which bear a tag, and then jobs that wait.
 *
 * @module
 */
import { addJobs } from "./added.ts";
import { Completions } from "./completions.ts";
import { keepInFlight } from "./keep_in_flight.ts";
import { completionsOf, createNoop, openNoopRuntime } from "./noop_runtime.ts";

/** Every other one of so many of the completed jobs bears it, the last of them. */
export const TAG = "tagged";
const TAGGED_AMONG = 8_000;

const IN_FLIGHT = 1_024;
const CONCURRENCY = 100;

export async function fillFile(path: string, completed: number, waiting: number): Promise<void> {
  const runtime = await openNoopRuntime({ path, concurrency: CONCURRENCY });
  runtime.start();
  const completions = new Completions(completionsOf(runtime), completed);
  let left = completed;
  await keepInFlight(completed, IN_FLIGHT, async () => {
    left -= 1;
    const tags = left < TAGGED_AMONG && left % 2 === 0 ? [TAG] : [];
    completions.of(await createNoop(runtime, tags));
  });
  await completions.all();
  await runtime.stop();
  await addUpTo(path, waiting);
}

/** Answers how many jobs wait then. */
export async function addUpTo(path: string, waiting: number): Promise<number> {
  const runtime = await openNoopRuntime({ path, concurrency: 1 });
  const { by_status } = await runtime.jobs.queries.stats();
  await addJobs(runtime, waiting - by_status.queued, IN_FLIGHT);
  await runtime.log.close();
  return waiting;
}
