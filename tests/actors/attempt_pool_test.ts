import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { z } from "zod";
import { JOB_PRIORITIES } from "../../src/actors/job/job.ts";
import { decodeEvent } from "../../src/events/event.ts";
import { EVENTS } from "../../src/events/head.ts";
import { fromPage } from "../../src/events/event_page.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { PermanentError } from "../../src/handlers/handler.ts";
import { FaultyStore } from "../support/faulty_store.ts";
import { settle } from "../support/manual_clock.ts";
import { CountingStore } from "./support/counting_store.ts";
import { aSpec } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { runtimeTest, TestRuntime } from "./support/test_runtime.ts";

const MINUTE_MS = 60_000;

/** The event types that each commit of the store put, in order; commits without events are left out. */
function commitsOf(store: FaultyStore): string[][] {
  return store.commits.map(({ commit }) =>
    commit.puts.filter(({ key }) => key[0] === EVENTS).flatMap((page) => fromPage(page).events).map(
      decodeEvent,
    )
      .sort((a, b) => a.position - b.position).map(({ type }) => type)
  ).filter((types) => types.length > 0);
}

Deno.test("a job that finds a free slot is created and started in one commit, and its handler runs after it", async () => {
  const store = new FaultyStore(new MemoryStore());
  const test = await TestRuntime.open({ store });
  const release = store.hold();
  const creating = test.create();
  await settle();
  assertEquals(test.runs.length, 0, "the handler ran before job.started was on disk");
  release();
  const id = await creating;
  assertEquals([commitsOf(store), test.runs.length], [[["job.created", "job.started"]], 1]);
  assertEquals(await test.status(id), "processing");
  await test.close();
});

Deno.test("nothing of a job type is called, and no handler counts as running, before the start is on disk", async () => {
  const store = new FaultyStore(new MemoryStore());
  const called: string[] = [];
  const payloadSchema = z.any().refine(() => called.push("schema"));
  const run = () => void called.push("run");
  const handlers = [{ jobType: "checked", payloadSchema, run }];
  const test = await TestRuntime.open({ store, handlers });
  const release = store.hold();
  const creating = test.commands.create(aSpec({ job_type: "checked" }), TESTER);
  await settle();
  const stopping = test.runtime.stop();
  test.runtime.hurry();
  await settle();
  assertEquals([called, test.runtime.running], [[], 0]);
  release();
  const { job } = await creating;
  await test.clock.advanceAsync(0);
  await stopping;
  assertEquals(called, ["schema", "run"]);
  assertEquals((await test.story(job.id)).slice(0, 2), ["created", "started"]);
});

Deno.test("jobs of all priorities are at hand when their turn comes: none is read by itself", async () => {
  const store = new CountingStore(new MemoryStore());
  const JOBS = 16_000;
  let left = JOBS;
  const done = Promise.withResolvers<void>();
  const run = () => {
    left -= 1;
    if (left === 0) done.resolve();
  };
  const handlers = [{ jobType: "quick", payloadSchema: z.any(), run }];
  const idle = await TestRuntime.open({ store, handlers, startNow: false });
  for (let i = 0; i < JOBS; i += 500) {
    const priority = JOB_PRIORITIES[i / 500 % 4]!;
    for (let n = 0; n < 500; n++) void idle.commands.create(aSpec({ job_type: "quick", priority }), TESTER);
    await idle.runtime.log.drain();
  }
  await idle.stop();
  const test = await TestRuntime.open({ store, handlers, startNow: false, concurrency: 100 });
  const { requests } = await store.during(async () => {
    await test.start();
    await done.promise;
  });
  // Pages of 500 jobs, some ten requests each.
  assert(requests <= 15 * JOBS / 500, `${requests} requests`);
  await test.close();
});

runtimeTest(
  "jobs that start as they are created count towards the tenth choice, which takes the longest waiting",
  { concurrency: 3 },
  async (test) => {
    const running = [await test.create(), await test.create(), await test.create()];
    const starving = await test.create({ priority: "low" });
    for (let i = 0; i < 12; i++) await test.create({ priority: "critical" });
    assertEquals(test.runs.map(({ jobId }) => jobId), running);
    while (test.open.length > 0) {
      test.open[0]!.resolve();
      await settle();
    }
    assertEquals(test.runs.findIndex(({ jobId }) => jobId === starving), 9);
  },
);

Deno.test("the outcome of a job and the start of the slot's next share a commit", async () => {
  const store = new FaultyStore(new MemoryStore());
  const test = await TestRuntime.open({ store, concurrency: 1 });
  const [first, second] = [await test.create(), await test.create()];
  assertEquals(await test.status(second), "queued");
  test.runOf(first).resolve({ n: 1 });
  await settle();
  assertEquals(commitsOf(store).at(-1), ["job.completed", "job.started"]);
  assertEquals([await test.status(first), await test.status(second)], ["completed", "processing"]);
  await test.close();
});

runtimeTest(
  "as many handlers run at once as there are slots, and never more",
  { concurrency: 3 },
  async (test) => {
    await Promise.all(Array.from({ length: 40 }, () => test.commands.create(aSpec(), TESTER)));
    await settle();
    while (test.open.length > 0) {
      assert(test.open.length <= 3 && test.runtime.running === test.open.length);
      test.open[test.runs.length % test.open.length]!.resolve();
      await settle();
    }
    assertEquals([test.mostAtOnce, test.runs.length, test.runtime.processed], [3, 40, 40]);
  },
);

Deno.test("concurrency holds and each job runs once, whatever is created, ended, retried or cancelled", async () => {
  const anyDeed = fc.constantFrom(
    "create",
    "create",
    "complete",
    "complete",
    "fail",
    "cancel",
    "wait",
    "settle",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyDeed, fc.nat()), { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      async (deeds, concurrency) => {
        const test = await TestRuntime.open({ concurrency });
        const pending: Promise<unknown>[] = [];
        const ids: string[] = [];
        for (const [deed, n] of deeds) {
          const run = test.open[n % Math.max(1, test.open.length)];
          if (deed === "create") {
            pending.push(test.commands.create(aSpec(), TESTER).then(({ job }) => ids.push(job.id)));
          }
          if (deed === "complete") run?.resolve({});
          if (deed === "fail") run?.reject(new Error("no luck"));
          if (deed === "cancel" && ids.length > 0) {
            pending.push(test.commands.cancel(ids[n % ids.length]!, TESTER).catch(() => {}));
          }
          if (deed === "wait") await test.clock.advanceAsync(n % (3 * MINUTE_MS));
          if (deed === "settle") await settle();
          const running = test.open.map(({ jobId }) => jobId);
          assert(running.length - concurrency <= abandonedOf(test), "more handlers than slots");
          assertEquals(new Set(running).size, running.length, "a job runs twice at once");
        }
        await settle();
        await Promise.all(pending);
        await test.close();
        assertEquals(test.errors, []);
      },
    ),
    { numRuns: 40 },
  );
});

/** Handlers that ignored their signal for 10 s hold no slot any more. */
function abandonedOf(test: TestRuntime): number {
  return test.open.filter(({ context }) => context.signal.aborted).length;
}

runtimeTest("a failed job is retried after 2, 4 and 8 minutes, and has then failed", {}, async (test) => {
  const id = await test.create();
  for (const minutes of [2, 4, 8]) {
    test.runOf(id).reject(new RangeError("no luck"));
    await settle();
    const { status, next_retry_at, retry_count } = await test.job(id);
    assertEquals([status, Date.parse(next_retry_at!) - test.clock.now()], ["queued", minutes * MINUTE_MS]);
    await test.clock.advanceAsync(minutes * MINUTE_MS - 1);
    assertEquals(test.open.length, 0);
    await test.clock.advanceAsync(1);
    assertEquals([(await test.job(id)).attempt, test.open.length], [retry_count + 1, 1]);
  }
  test.runOf(id).reject(new RangeError("no luck at last"));
  await settle();
  const { status, attempt, retry_count, error_message, next_retry_at } = await test.job(id);
  assertEquals([status, attempt, retry_count, next_retry_at], ["failed", 4, 3, null]);
  assertEquals(error_message, "RangeError: no luck at last");
});

runtimeTest("a job whose handler throws a PermanentError has failed at once", {}, async (test) => {
  const id = await test.create();
  test.runOf(id).reject(new PermanentError("no such mailbox"));
  await settle();
  const { status, attempt, error_message } = await test.job(id);
  assertEquals([status, attempt, error_message], ["failed", 1, "PermanentError: no such mailbox"]);
});

runtimeTest(
  "a handler that answers what no job can hold has failed, and the runtime goes on",
  {},
  async (test) => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    for (
      const result of ["text", [1], 1n, cyclic, { big: "x".repeat(50_000) }, {
        toJSON() {
          throw null;
        },
      }]
    ) {
      const id = await test.create({ max_retries: 0 });
      test.runOf(id).resolve(result);
      await settle();
      const job = await test.job(id);
      assertEquals([job.status, job.result], ["failed", null]);
      assertMatch(job.error_message!, /^\w+: /);
    }
    const id = await test.create();
    test.runOf(id).resolve({ fine: true });
    await settle();
    assertEquals((await test.job(id)).result, { fine: true });
  },
);

runtimeTest("a payload or result too large for the row is read back from its event", {}, async (test) => {
  const payload = { text: "€".repeat(10_000) };
  const id = await test.create({ payload });
  assertEquals([test.runOf(id).payload, (await test.job(id)).payload], [payload, payload]);
  const result = { text: "x".repeat(48 * 1024 - '{"text":""}'.length) };
  test.runOf(id).resolve(result);
  await settle();
  assertEquals((await test.job(id)).result, result);
  const changed = await test.create({ payload, scheduled_at: "2026-01-07T11:00:00.000Z" });
  await test.commands.update(changed, { payload: { text: "y".repeat(3_000) }, scheduled_at: null }, TESTER);
  await settle();
  assertEquals(test.runOf(changed).payload, { text: "y".repeat(3_000) });
});

runtimeTest(
  "progress is recorded at most once a second, and the last along with the outcome",
  {},
  async (test) => {
    const id = await test.create();
    const run = test.runOf(id);
    for (let percent = 1; percent <= 40; percent++) {
      run.context.progress(percent, `step ${percent}`);
      await test.clock.advanceAsync(100);
    }
    run.context.progress(99, "nearly");
    run.resolve({});
    await settle();
    const recorded = (await test.events(id)).filter(({ type }) => type === "job.progressed");
    const times = recorded.map(({ time }) => Date.parse(time));
    assert(times.length >= 4 && times.length <= 5, `${times.length} events`);
    assert(times.every((time, i) => i === 0 || time - times[i - 1]! >= 1_000), String(times));
    assertEquals((await test.job(id)).progress, { percent: 99, note: "nearly" });
    assertEquals((await test.story(id)).at(-1), "completed");
  },
);

runtimeTest(
  "a job of a type without a handler waits, and the others pass it by",
  { concurrency: 1 },
  async (test) => {
    const waits = await test.create({ job_type: "gone", priority: "critical" });
    const runs = await test.create({ priority: "low" });
    assertEquals([await test.status(waits), await test.status(runs)], ["queued", "processing"]);
  },
);

runtimeTest("the log lines of a handler come with its job's id and type", () => {
  return { handlerLog: (jobId, jobType) => (message, level) => lines.push([jobId, jobType, level, message]) };
}, async (test) => {
  const id = await test.create();
  test.runOf(id).context.log("at work", "WARNING");
  assertEquals(lines, [[id, "echo", "WARNING", "at work"]]);
});
const lines: unknown[] = [];
