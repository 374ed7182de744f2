/**
 * Prints how many bytes of heap a job takes from its creation to its end, in a process that collects nothing meanwhile
 * and runs the code as it is written, so that the figure does not depend on the moment.
 *
 * Run by `allocations_test.ts` with V8's flags.
 *
 * @module
 */
import { z } from "zod";
import { JobTypeRegistry } from "../../../src/actors/job_type_registry.ts";
import { Runtime } from "../../../src/actors/runtime.ts";
import { MemoryStore } from "../../../src/events/memory_store.ts";
import { aSpec } from "../../actors/support/facts.ts";
import { TESTER } from "../../actors/support/log_of_jobs.ts";
import { noServices } from "../../actors/support/services.ts";
import { ManualClock, settle } from "../../support/manual_clock.ts";

const JOBS = 100;
const WARM_UP_ROUNDS = 40;

/** Takes every commit and keeps none, so that only what Daybook itself allocates is counted. */
class Sink extends MemoryStore {
  #commits = 0;

  override commit(): Promise<string> {
    this.#commits += 1;
    return Promise.resolve(String(this.#commits).padStart(20, "0"));
  }
}

const runtime = await Runtime.open({
  store: new Sink(),
  jobTypes: new JobTypeRegistry().register({ jobType: "echo", payloadSchema: z.any(), run: () => ({}) }),
  services: noServices,
  concurrency: JOBS,
  clock: new ManualClock(),
  random: () => 0,
});
runtime.start();
await settle();
for (let round = 0; round < WARM_UP_ROUNDS; round++) await createAndComplete();

const rounds: number[] = [];
for (let round = 0; round < 3; round++) {
  (globalThis as unknown as { gc(): void }).gc();
  const before = Deno.memoryUsage().heapUsed;
  await createAndComplete();
  rounds.push((Deno.memoryUsage().heapUsed - before) / JOBS);
}
const { by_status } = await runtime.jobs.queries.stats();
if (by_status.completed !== (WARM_UP_ROUNDS + rounds.length) * JOBS) {
  throw new Error("Not every job was completed");
}
console.log(Math.min(...rounds).toFixed(0));
await runtime.stop();

async function createAndComplete(): Promise<void> {
  await Promise.all(Array.from({ length: JOBS }, () => runtime.jobs.commands.create(aSpec(), TESTER)));
  await settle();
  await settle();
}
