import { assert, assertEquals } from "@std/assert";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { settle } from "../support/manual_clock.ts";
import { CountingStore } from "./support/counting_store.ts";
import { aSpec } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { TestRuntime } from "./support/test_runtime.ts";

/** A store with so many completed jobs, and ten that wait. */
async function storeWith(completed: number): Promise<MemoryStore> {
  const store = new MemoryStore();
  const test = await TestRuntime.open({ store, concurrency: 500 });
  for (let left = completed; left > 0; left -= 500) {
    const jobs = Math.min(left, 500);
    await Promise.all(Array.from({ length: jobs }, () => test.commands.create(aSpec(), TESTER)));
    await settle();
    for (const run of test.open) run.resolve({});
    await settle();
  }
  assertEquals((await test.queries.stats()).by_status.completed, completed);
  await test.stop();
  const idle = await TestRuntime.open({ store, startNow: false });
  for (let i = 0; i < 10; i++) await idle.create();
  await idle.stop();
  return store;
}

/** What is read until the first waiting jobs run. */
async function readByStart(store: MemoryStore): Promise<{ requests: number; entries: number }> {
  const counting = new CountingStore(store);
  const read = await counting.during(async () => {
    const test = await TestRuntime.open({ store: counting });
    assertEquals(test.runs.length, 2);
    await test.stop();
  });
  return read;
}

Deno.test("a start reads as much after 5,000 completed jobs as after 50", async () => {
  const [young, old] = [await storeWith(50), await storeWith(5_000)];
  const [few, many] = [await readByStart(young), await readByStart(old)];
  assertEquals(many, few);
  assert(few.entries < 50, `${few.entries} entries`);
});
