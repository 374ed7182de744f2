import { assert, assertEquals } from "@std/assert";
import { JOB_PRIORITIES } from "../../src/actors/job/job.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { assertProjectionsMatchLog } from "../support/consistency.ts";
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
async function readByStart(
  store: MemoryStore,
): Promise<{ requests: number; entries: number; pages: number }> {
  const counting = new CountingStore(store);
  const read = await counting.during(async () => {
    const test = await TestRuntime.open({ store: counting });
    assertEquals(test.runs.length, 2);
    await test.stop();
  });
  return { ...read, pages: counting.pages };
}

Deno.test("a start reads as much after 5,000 completed jobs as after 50", async () => {
  const [young, old] = [await storeWith(50), await storeWith(5_000)];
  const [few, many] = [await readByStart(young), await readByStart(old)];
  assertEquals(many, few);
  assert(few.entries < 50, `${few.entries} entries`);
});

Deno.test("a start after kill -9 reads as much after 5,000 completed jobs as after 50", async () => {
  const readAfterKill = async (completed: number) => {
    const store = await storeWith(completed);
    const killed = await TestRuntime.open({ store });
    assertEquals(killed.open.length, 2, "jobs were running");
    return await readByStart(store);
  };
  const [few, many] = [await readAfterKill(50), await readAfterKill(5_000)];
  assertEquals(many, few);
  assert(few.entries < 50, `${few.entries} entries`);
});

/** A store with waiting jobs, one after another of another queue or priority. */
async function storeOfWaiting(count: number, queues: number): Promise<MemoryStore> {
  const store = new MemoryStore();
  const test = await TestRuntime.open({ store, startNow: false });
  for (let made = 0; made < count; made += 500) {
    const specs = Array.from({ length: 500 }, (_, i) =>
      aSpec({
        queue: `q${i % queues}`,
        priority: queues === 1 ? "normal" : JOB_PRIORITIES[Math.floor(i / queues) % 4]!,
      }));
    await test.commands.createMany(specs, TESTER);
  }
  await test.stop();
  return store;
}

Deno.test("a start reads pages of the log once for the jobs of many queues that lie on them", async () => {
  const [one, many] = [await storeOfWaiting(8_000, 1), await storeOfWaiting(8_000, 16)];
  const [ofOne, ofMany] = [await readByStart(one), await readByStart(many)];
  // 64 windows, each of which has jobs on every page.
  assert(ofMany.pages < 8 * ofOne.pages, `${ofMany.pages} pages in place of ${ofOne.pages}`);
});

Deno.test("a start reads nothing of queues that have no jobs any more, and /stats knows none of them", async () => {
  const store = await storeWith(50);
  const few = await readByStart(store);
  const test = await TestRuntime.open({ store, startNow: false });
  const specs = Array.from({ length: 300 }, (_, n) => aSpec({ queue: `once-${n}` }));
  for (const outcome of await test.commands.createMany(specs, TESTER)) {
    assert("job" in outcome);
    await test.commands.cancel(outcome.job.id, TESTER);
    await test.commands.delete(outcome.job.id, TESTER);
  }
  assertEquals(Object.keys((await test.queries.stats()).by_queue), ["default"]);
  await test.stop();
  await assertProjectionsMatchLog(store);
  const { requests, entries } = await readByStart(store);
  assert(requests <= few.requests && entries <= few.entries, `${requests} requests for ${entries} entries`);
});
