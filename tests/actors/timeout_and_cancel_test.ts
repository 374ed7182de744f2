import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { AttemptFacts } from "../../src/actors/attempt_context.ts";
import { TransitionRefusedError } from "../../src/actors/errors.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { settle } from "../support/manual_clock.ts";
import { aSpec } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { SlowStore } from "./support/slow_store.ts";
import { runtimeTest, TestRuntime } from "./support/test_runtime.ts";

runtimeTest(
  "an attempt that takes too long has failed with TimeoutError, and is retried",
  {},
  async (test) => {
    const id = await test.create({ timeout_seconds: 30 });
    const run = test.runOf(id);
    await test.clock.advanceAsync(30_000);
    assertEquals([run.context.signal.aborted, await test.status(id)], [true, "processing"]);
    run.reject(run.context.signal.reason);
    await settle();
    const { status, error_message, retry_count } = await test.job(id);
    assertEquals([status, retry_count], ["queued", 1]);
    assertEquals(error_message, "TimeoutError: attempt 1 took longer than 30 s");
  },
);

runtimeTest(
  "a handler that ignores its timeout loses its slot after 10 s, and its late result is recorded and refused",
  {
    concurrency: 1,
  },
  async (test) => {
    const id = await test.create({ timeout_seconds: 30 });
    const neighbour = await test.create();
    const stuck = test.runOf(id);
    await test.clock.advanceAsync(39_999);
    assertEquals([await test.status(id), await test.status(neighbour)], ["processing", "queued"]);
    await test.clock.advanceAsync(1);
    assertEquals([await test.status(id), await test.status(neighbour)], ["queued", "processing"]);
    assertMatch((await test.job(id)).error_message!, /^TimeoutError: .* its handler has not stopped/);
    test.runOf(neighbour).resolve();
    stuck.resolve({ too: "late" });
    await settle();
    assertEquals((await test.story(id)).slice(-2), ["attempt_failed", "late_result_refused"]);
    const { status, result } = await test.job(id);
    assertEquals([status, result], ["queued", null]);
  },
);

runtimeTest("the next attempt does not begin before an abandoned handler has settled", {}, async (test) => {
  const id = await test.create({ timeout_seconds: 30 });
  const stuck = test.runOf(id);
  await test.clock.advanceAsync(40_000 + 10 * 60_000);
  assertEquals([await test.status(id), test.runs.length], ["queued", 1]);
  // A retry by hand changes nothing about that, nor does another job hinder it.
  const other = await test.create();
  assertEquals(test.runOf(other).jobId, other);
  await test.clock.advanceAsync(3_600_000 - 1);
  assertEquals(test.runs.filter(({ jobId }) => jobId === id).length, 1);
  stuck.reject(new Error("at last"));
  await settle();
  assertEquals(await test.story(id), [
    "created",
    "started",
    "attempt_failed",
    "late_result_refused",
    "started",
  ]);
  assertEquals((await test.job(id)).attempt, 2);
});

runtimeTest(
  "a job that failed for good while its handler goes on waits for it when it is retried",
  {},
  async (test) => {
    const id = await test.create({ timeout_seconds: 1, max_retries: 0 });
    const stuck = test.runOf(id);
    await test.clock.advanceAsync(11_000);
    assertEquals(await test.status(id), "failed");
    await test.commands.retry(id, TESTER);
    await test.clock.advanceAsync(60_000);
    assertEquals([await test.status(id), test.runs.length], ["queued", 1]);
    stuck.resolve();
    await settle();
    assertEquals([await test.status(id), test.runs.length], ["processing", 2]);
  },
);

Deno.test("a handler that goes on after its grace time is told of, since its job's next attempt waits for it", async () => {
  const told: AttemptFacts[] = [];
  const test = await TestRuntime.open({ onAbandoned: (attempt) => told.push(attempt) });
  const id = await test.create();
  const stuck = test.runOf(id);
  await test.cancel(id);
  await test.clock.advanceAsync(9_999);
  assertEquals(told, []);
  await test.clock.advanceAsync(1);
  assertEquals([await test.status(id), told], ["cancelled", [{ jobId: id, jobType: "echo", attempt: 1 }]]);
  await test.commands.retry(id, TESTER);
  await test.clock.advanceAsync(60_000);
  assertEquals([await test.status(id), test.runs.length], ["queued", 1]);
  stuck.resolve();
  await settle();
  assertEquals([await test.status(id), told.length], ["processing", 1]);
  await test.close();
});

runtimeTest("a late result of a job that was deleted is still recorded", {}, async (test) => {
  const id = await test.create({ timeout_seconds: 1, max_retries: 0 });
  const stuck = test.runOf(id);
  await test.clock.advanceAsync(11_000);
  await test.commands.delete(id, TESTER);
  const before = test.runtime.log.position;
  stuck.resolve({});
  await settle();
  const [last] = await test.runtime.log.read(before, 10);
  assertEquals([last?.event.type, last?.event.stream], ["job.late_result_refused", `job/${id}`]);
  assertEquals(await test.queries.get(id), undefined);
});

runtimeTest("a queued job is cancelled at once, for good and only once", { concurrency: 1 }, async (test) => {
  await test.create();
  const id = await test.create();
  assertEquals(await test.cancel(id), false);
  const first = await test.job(id);
  assertEquals([first.status, first.cancel_reason], ["cancelled", "enough"]);
  assertEquals(await test.cancel(id), false);
  assertEquals(await test.job(id), first);
});

runtimeTest(
  "a running job is asked to stop, and is cancelled when its handler has settled, whatever it answered",
  {
    concurrency: 3,
  },
  async (test) => {
    const answers = [
      (id: string) => test.runOf(id).resolve({ done: true }),
      (id: string) => test.runOf(id).reject(test.runOf(id).context.signal.reason),
      (id: string) => test.runOf(id).reject(new Error("broken")),
    ];
    for (const answer of answers) {
      const id = await test.create();
      assertEquals(await test.cancel(id), true);
      assertEquals([test.runOf(id).context.signal.aborted, await test.cancel(id)], [true, true]);
      const { status, cancel_requested_at, cancel_reason } = await test.job(id);
      assertEquals([status, cancel_requested_at !== null, cancel_reason], ["processing", true, "enough"]);
      answer(id);
      await settle();
      assertEquals(await test.story(id), ["created", "started", "cancel_requested", "cancelled"]);
      assertEquals((await test.job(id)).result, null);
    }
  },
);

runtimeTest(
  "a running job whose handler ignores the cancel is cancelled after 10 s",
  { concurrency: 1 },
  async (test) => {
    const id = await test.create();
    const neighbour = await test.create();
    const stuck = test.runOf(id);
    await test.cancel(id);
    await test.clock.advanceAsync(9_999);
    assertEquals(await test.status(id), "processing");
    await test.clock.advanceAsync(1);
    assertEquals([await test.status(id), await test.status(neighbour)], ["cancelled", "processing"]);
    stuck.resolve({});
    await settle();
    assertEquals((await test.story(id)).at(-1), "late_result_refused");
  },
);

runtimeTest(
  "a cancel while an attempt is timing out cancels the job 10 s after the timeout",
  {},
  async (test) => {
    const id = await test.create({ timeout_seconds: 20 });
    const stuck = test.runOf(id);
    await test.clock.advanceAsync(25_000);
    assertEquals(await test.cancel(id), true);
    await test.clock.advanceAsync(4_999);
    assertEquals(await test.status(id), "processing");
    await test.clock.advanceAsync(1);
    assertEquals(await test.story(id), ["created", "started", "cancel_requested", "cancelled"]);
    stuck.resolve();
  },
);

runtimeTest(
  "a job that has completed or failed cannot be cancelled, nor one be retried that runs",
  {},
  async (test) => {
    const [done, broken] = [await test.create(), await test.create({ max_retries: 0 })];
    test.runOf(done).resolve();
    test.runOf(broken).reject(new Error("no luck"));
    await settle();
    for (const id of [done, broken]) {
      await assertRejects(
        () => test.commands.cancel(id, TESTER),
        TransitionRefusedError,
        "Cannot cancel job",
      );
    }
    const id = await test.create();
    await assertRejects(() => test.commands.retry(id, TESTER), TransitionRefusedError, "it is processing");
  },
);

Deno.test("a job that is cancelled while its payload is still being read stops as soon as its handler begins", async () => {
  const store = new SlowStore(new MemoryStore());
  const test = await TestRuntime.open({ store });
  store.slow.add("list");
  const creating = test.commands.create(aSpec({ payload: { text: "x".repeat(5_000) } }), TESTER);
  await settle();
  const { job } = await creating;
  assertEquals([store.waiting, test.runs.length], [1, 0]);
  const cancelling = test.commands.cancel(job.id, TESTER);
  await settle();
  store.slow.clear();
  while (store.waiting > 0) store.release();
  await settle();
  assertEquals([(await cancelling).pending, test.runOf(job.id).context.signal.aborted], [true, true]);
  await test.close();
});
