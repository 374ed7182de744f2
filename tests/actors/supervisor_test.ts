import { assert, assertEquals } from "@std/assert";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { assertProjectionsMatchLog } from "../support/consistency.ts";
import { settle } from "../support/manual_clock.ts";
import { aSpec } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { SlowStore } from "./support/slow_store.ts";
import { TestRuntime } from "./support/test_runtime.ts";

/** A store whose lists all fail until it is mended. */
class BrokenLists extends SlowStore {
  broken = false;

  override list(...[range, options]: Parameters<SlowStore["list"]>): ReturnType<SlowStore["list"]> {
    if (this.broken && range.prefix[0] === "d") {
      return Promise.reject(new Error("the store cannot be reached"));
    }
    return super.list(range, options);
  }
}

/** A runtime that has 2,000 due jobs on disk, opened but not started. */
async function withDueJobs(options = {}): Promise<{ store: BrokenLists; test: TestRuntime }> {
  const store = new BrokenLists(new MemoryStore());
  const before = await TestRuntime.open({ store, startNow: false });
  for (let i = 0; i < 2_000; i += 500) {
    await Promise.all(
      Array.from({ length: 500 }, () => before.commands.create(aSpec({ timeout_seconds: 3_600 }), TESTER)),
    );
  }
  await before.stop();
  const test = await TestRuntime.open({ store, clock: before.clock, startNow: false, ...options });
  return { store, test };
}

Deno.test("the supervisor restarts the scheduling with growing pauses, and work resumes when the cause is gone", async () => {
  const { store, test } = await withDueJobs();
  store.broken = true;
  await test.start();
  await test.clock.advanceAsync(700);
  assertEquals(test.restarts.map(({ pauseMs }) => pauseMs), [100, 200, 400, 800]);
  assertEquals(test.restarts.map(({ error }) => String(error))[0], "Error: the store cannot be reached");
  assertEquals(test.runs.length, 0);
  store.broken = false;
  await test.clock.advanceAsync(800);
  assertEquals([test.open.length, test.recovered], [2, [0]]);
  await test.close();
});

Deno.test("the supervisor never pauses longer than half a minute, and gives up after 20 failures in 10 minutes", async () => {
  const { store, test } = await withDueJobs();
  store.broken = true;
  const failure = test.runtime.failure();
  await test.start();
  await test.clock.advanceAsync(10 * 60_000);
  assertEquals(test.restarts.length, 19);
  assertEquals(Math.max(...test.restarts.map(({ pauseMs }) => pauseMs)), 30_000);
  assertEquals(String(await failure), "Error: the store cannot be reached");
  await test.stop();
  await assertProjectionsMatchLog(store);
});

Deno.test("what still runs when the supervisor gives up is recorded or given back", async () => {
  const { store, test } = await withDueJobs({ concurrency: 3 });
  await test.start();
  const [ends, stays] = [test.open[0]!, test.open[1]!];
  const failure = test.runtime.failure();
  store.broken = true;
  // The third slot takes job after job, until the window runs low and cannot read on.
  for (let run; test.restarts.length === 0 && (run = test.open[2]);) {
    run.resolve();
    await settle();
  }
  await test.clock.advanceAsync(10 * 60_000);
  assertEquals(String(await failure), "Error: the store cannot be reached");
  ends.resolve({});
  await settle();
  assertEquals(await test.status(ends.jobId), "completed");
  const stopping = test.runtime.stop();
  await test.clock.advanceAsync(10_000);
  await stopping;
  assertEquals((await test.story(stays.jobId)).at(-1), "released");
  await assertProjectionsMatchLog(store);
});

Deno.test("the supervisor forgets failures that are ten minutes old", async () => {
  const { store, test } = await withDueJobs();
  let gaveUp = false;
  test.runtime.failure().then(() => gaveUp = true);
  await test.start();
  for (let round = 0; round < 4; round++) {
    store.broken = true;
    test.open[0]!.resolve();
    // The window runs low now and then, and cannot read on.
    for (let jobs = 0; jobs < 700 && test.open.length > 0; jobs++) {
      test.open[0]!.resolve();
      await settle();
    }
    await test.clock.advanceAsync(60_000);
    store.broken = false;
    await test.clock.advanceAsync(15 * 60_000);
    assert(test.open.length > 0, "nothing runs any more");
  }
  assert(test.restarts.length >= 20, `${test.restarts.length} restarts`);
  assertEquals([gaveUp, test.restarts.at(-1)!.pauseMs <= 30_000], [false, true]);
  await test.close();
});

Deno.test("a window that could not read on is read anew, so that no due job is forgotten", async () => {
  const { store, test } = await withDueJobs({ concurrency: 10 });
  await test.start();
  store.broken = true;
  const endAll = async () => {
    while (test.open.length > 0) {
      for (const run of test.open) run.resolve();
      await settle();
    }
  };
  await endAll();
  assert(test.runs.length < 2_000, "the window never ran low");
  store.broken = false;
  await test.clock.advanceAsync(60_000);
  await endAll();
  assertEquals([test.runs.length, (await test.queries.stats()).by_status.completed], [2_000, 2_000]);
  await test.close();
});

Deno.test("stop() in a pause of the supervisor stops", async () => {
  const { store, test } = await withDueJobs();
  store.broken = true;
  await test.start();
  await test.stop();
  await assertProjectionsMatchLog(store);
});

Deno.test("every job of thousands on disk is run once, in the order of choice, while others are created", async () => {
  const { store, test } = await withDueJobs({ concurrency: 20 });
  await test.start();
  let created = 0;
  while (test.open.length > 0) {
    for (const run of test.open) run.resolve();
    if (created < 500) {
      created += 1;
      test.commands.create(aSpec({ priority: created % 2 ? "high" : "low" }), TESTER);
    }
    await settle();
  }
  assertEquals([test.runs.length, new Set(test.runs.map(({ jobId }) => jobId)).size], [2_500, 2_500]);
  assert(store.lists > 4);
  await test.close();
});
