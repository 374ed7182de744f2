import { assert, assertEquals, assertRejects } from "@std/assert";
import { LogUnavailableError } from "../../src/events/errors.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { assertProjectionsMatchLog } from "../support/consistency.ts";
import { FaultyStore } from "../support/faulty_store.ts";
import { settle } from "../support/manual_clock.ts";
import { aSpec } from "./support/facts.ts";
import { tamper } from "../audit/support/random_log.ts";
import { logOfJobs, TESTER } from "./support/log_of_jobs.ts";
import { SlowStore } from "./support/slow_store.ts";
import { TestRuntime } from "./support/test_runtime.ts";

/** Whether a promise has settled, after everything has run that waits for no timer. */
async function isOver(promise: Promise<unknown>): Promise<boolean> {
  let over = false;
  promise.finally(() => over = true).catch(() => {});
  await settle();
  return over;
}

/** The process dies: nothing of it is heard any more, and another opens what it left on disk. */
async function crash(test: TestRuntime, options = {}): Promise<TestRuntime> {
  return await TestRuntime.open({ store: test.store, clock: test.clock, ...options });
}

Deno.test("stop() takes no new work, waits for what runs, and records how it ended", async () => {
  const test = await TestRuntime.open({ concurrency: 1 });
  const [running, waiting] = [await test.create(), await test.create()];
  const stopping = test.runtime.stop();
  await test.clock.advanceAsync(4_000);
  assertEquals([test.runOf(running).context.signal.aborted, await isOver(stopping)], [false, false]);
  test.runOf(running).resolve({ just: "in time" });
  assert(await isOver(stopping));
  assertEquals([await test.status(running), await test.status(waiting)], ["completed", "queued"]);
  await assertRejects(() => test.commands.create(aSpec(), TESTER), LogUnavailableError, "stopping");
  await assertProjectionsMatchLog(test.store);
});

Deno.test("stop() fires the signal after its patience, and gives back what does not end, using up nothing", async () => {
  const test = await TestRuntime.open({ patienceMs: 3_000, graceMs: 2_000 });
  const [polite, stubborn] = [await test.create(), await test.create()];
  const stopping = test.runtime.stop();
  await test.clock.advanceAsync(3_000);
  const { signal } = test.runOf(polite).context;
  assertEquals([signal.aborted, signal.reason.name], [true, "AbortError"]);
  test.runOf(polite).reject(signal.reason);
  await test.clock.advanceAsync(1_999);
  assertEquals(await isOver(stopping), false);
  await test.clock.advanceAsync(1);
  assert(await isOver(stopping));
  for (const id of [polite, stubborn]) {
    const { status, attempt, retry_count, interrupt_count, next_retry_at } = await test.job(id);
    assertEquals([status, attempt, retry_count, interrupt_count, next_retry_at], ["queued", 1, 0, 0, null]);
    assertEquals((await test.story(id)).at(-1), "released");
  }
  const next = await crash(test);
  assertEquals(next.runs.map(({ jobId, context }) => [jobId, context.attempt]), [[polite, 2], [stubborn, 2]]);
  await next.close();
});

Deno.test("hurry() waits for handlers no longer", async () => {
  const test = await TestRuntime.open();
  const id = await test.create();
  const stopping = test.runtime.stop();
  assertEquals(await isOver(stopping), false);
  test.runtime.hurry();
  await test.clock.advanceAsync(0);
  assert(await isOver(stopping));
  assertEquals((await test.story(id)).at(-1), "released");
});

Deno.test("hurry() waits for no handler either that begins only then", async () => {
  const store = new FaultyStore(new MemoryStore());
  const test = await TestRuntime.open({ store });
  const release = store.hold();
  const creating = test.commands.create(aSpec(), TESTER);
  await settle();
  const stopping = test.runtime.stop();
  test.runtime.hurry();
  await settle();
  release();
  const { job } = await creating;
  await test.clock.advanceAsync(0);
  assert(await isOver(stopping));
  assertEquals(await test.story(job.id), ["created", "started", "released"]);
});

Deno.test("stop() can be asked for twice, and before the start", async () => {
  const test = await TestRuntime.open({ startNow: false });
  await test.commands.create(aSpec(), TESTER);
  await Promise.all([test.runtime.stop(), test.runtime.stop()]);
  await assertProjectionsMatchLog(test.store);
});

Deno.test("stop() while the due jobs are still being read starts none of them", async () => {
  const store = new SlowStore(new MemoryStore());
  const before = await TestRuntime.open({ store, startNow: false });
  await before.commands.create(aSpec(), TESTER);
  await before.stop();
  const test = await TestRuntime.open({ store, clock: before.clock, startNow: false });
  store.slow.add("list");
  test.runtime.start();
  await settle();
  assert(store.waiting > 0);
  const stopping = test.runtime.stop();
  await settle();
  store.slow.clear();
  while (store.waiting > 0) store.release();
  assert(await isOver(stopping));
  assertEquals(test.runs.length, 0);
  await assertProjectionsMatchLog(store);
});

Deno.test("a crash interrupts what ran: it runs again at once, then after the backoff, then it has failed", async () => {
  let test = await TestRuntime.open();
  const id = await test.create();
  test = await crash(test);
  assertEquals([test.recovered, (await test.job(id)).interrupt_count], [[1], 1]);
  assertEquals(test.runs.map(({ jobId, context }) => [jobId, context.attempt]), [[id, 2]]);

  test = await crash(test);
  assertEquals(test.runs.length, 0);
  const { status, next_retry_at, retry_count } = await test.job(id);
  assertEquals([status, Date.parse(next_retry_at!) - test.clock.now(), retry_count], ["queued", 120_000, 0]);
  await test.clock.advanceAsync(120_000);
  assertEquals(test.runs.length, 1);

  test = await crash(test);
  const failed = await test.job(id);
  assertEquals([failed.status, failed.attempt, failed.interrupt_count], ["failed", 3, 3]);
  assertEquals(failed.error_message!.split(":")[0], "InterruptedError");
  await test.close();
});

Deno.test("a crash costs the neighbours of the job that caused it no retry", async () => {
  let test = await TestRuntime.open();
  const [killer, neighbour] = [await test.create(), await test.create()];
  for (let crashes = 0; crashes < 2; crashes++) test = await crash(test);
  await test.clock.advanceAsync(120_000);
  test.runOf(neighbour).resolve({});
  await settle();
  test = await crash(test);
  assertEquals([await test.status(killer), await test.status(neighbour)], ["failed", "completed"]);
  assertEquals((await test.job(neighbour)).retry_count, 0);
  await test.close();
});

Deno.test("a crash after a cancel was asked for cancels the job", async () => {
  const test = await TestRuntime.open();
  const id = await test.create();
  assertEquals(await test.cancel(id), true);
  const next = await crash(test);
  assertEquals([await next.status(id), next.runs.length], ["cancelled", 0]);
  await next.close();
});

Deno.test("a cancel that comes before the recovery of an interrupted job cancels it", async () => {
  const test = await TestRuntime.open();
  const id = await test.create();
  const next = await crash(test, { startNow: false });
  assertEquals((await next.commands.cancel(id, TESTER)).pending, true);
  await next.start();
  assertEquals([await next.status(id), next.recovered], ["cancelled", [1]]);
  await next.close();
});

Deno.test("a start with nothing left running recovers nothing and starts what is due", async () => {
  const test = await TestRuntime.open({ startNow: false });
  const { job } = await test.commands.create(aSpec(), TESTER);
  const later = await test.commands.create(aSpec({ scheduled_at: "2026-01-07T10:16:00.000Z" }), TESTER);
  const next = await crash(test);
  assertEquals([next.recovered, next.runs.map(({ jobId }) => jobId)], [[0], [job.id]]);
  await next.clock.advanceAsync(60_000);
  assertEquals(await next.status(later.job.id), "processing");
  await next.close();
});

Deno.test("a process that was replaced writes no more, and can still stop", async () => {
  const test = await TestRuntime.open();
  const id = await test.create();
  const next = await crash(test);
  test.runOf(id).resolve({ from: "the old process" });
  const creating = test.commands.create(aSpec(), TESTER).catch((error: Error) => error.name);
  await settle();
  assertEquals([await creating, test.queries.ready().ready], ["LogFencedError", false]);
  await test.stop();
  assertEquals((await next.story(id)).slice(-2), ["interrupted", "started"]);
  await next.close();
});

Deno.test("a commit of the old process that lands while the new one opens is seen by the new one", async () => {
  const store = new FaultyStore(new MemoryStore());
  const old = await TestRuntime.open({ store, startNow: false });
  store.onCommits({ late: "never answers", before: 2 });
  old.commands.create(aSpec(), TESTER).catch(() => {});
  await settle();
  // It arrives just before the new process takes the head over, which is the commit after one read.
  const next = await TestRuntime.open({ store, clock: old.clock });
  assertEquals(store.landedLate, 1);
  assertEquals((await next.queries.stats()).total, 1);
  await next.create();
  await next.close();
});

Deno.test("a stop leaves no timer behind, also when the log was in doubt once", async () => {
  const store = new FaultyStore(new MemoryStore());
  const test = await TestRuntime.open({ store, concurrency: 1, deadlineMs: 5_000, unknownAfterMs: 2_000 });
  const id = await test.create({ timeout_seconds: 86_400 });
  store.onCommits("lost_commit");
  test.runOf(id).resolve({});
  await test.clock.advanceAsync(10_000);
  await test.stop();
  assertEquals(test.clock.pending, 0);
});

Deno.test("a damaged row of running jobs keeps the log from being opened, and says how to mend it", async () => {
  const { store, log } = await logOfJobs();
  await log.drain();
  for (const value of ["[999]", "{}"]) {
    await tamper(store, [{ key: ["r"], value: new TextEncoder().encode(value) }]);
    await assertRejects(() => logOfJobs({ store }), Error, "deno task audit replay --repair");
  }
});
