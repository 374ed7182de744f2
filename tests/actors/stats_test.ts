import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { JOB_PRIORITIES } from "../../src/actors/job/job.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { settle } from "../support/manual_clock.ts";
import { CountingStore } from "./support/counting_store.ts";
import { aSpec } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { runtimeTest, TestRuntime } from "./support/test_runtime.ts";

const NONE = { queued: 0, processing: 0, completed: 0, failed: 0, cancelled: 0 };

runtimeTest("stats() counts jobs by status, type and queue", { concurrency: 1 }, async (test) => {
  const [first] = [
    await test.create(),
    await test.create({ queue: "mail" }),
    await test.create({ job_type: "gone" }),
  ];
  test.runOf(first).resolve();
  await settle();
  const { total, by_status, by_type, by_queue } = await test.queries.stats();
  assertEquals([total, by_status], [3, { ...NONE, completed: 1, processing: 1, queued: 1 }]);
  assertEquals(by_type, {
    echo: { ...NONE, completed: 1, processing: 1 },
    gone: { ...NONE, queued: 1 },
  });
  assertEquals(by_queue, {
    default: { ...NONE, completed: 1, queued: 1 },
    mail: { ...NONE, processing: 1 },
  });
});

runtimeTest(
  "stats() counts a queue of any name, and leaves JavaScript's own names alone",
  {},
  async (test) => {
    for (const queue of ["__proto__", "constructor", "toString"]) {
      await test.create({
        queue,
        job_type: "gone",
      });
    }
    const { by_queue, total } = await test.queries.stats();
    assertEquals(Object.entries(by_queue).sort(), [
      ["__proto__", { ...NONE, queued: 1 }],
      ["constructor", { ...NONE, queued: 1 }],
      ["toString", { ...NONE, queued: 1 }],
    ]);
    assertEquals(total, 3);
    assertEquals(Object.keys(Object.prototype).length, 0);
    assertEquals("queued" in {}, false);
  },
);

runtimeTest(
  "stats() tells how long the oldest job has waited since it became due",
  { concurrency: 1 },
  async (test) => {
    const oldest = async () => (await test.queries.stats()).oldest_waiting_seconds;
    assertEquals(await oldest(), null);
    const running = await test.create();
    assertEquals(await oldest(), null);
    await test.create({ scheduled_at: new Date(test.clock.now() + 5_000).toISOString() });
    assertEquals(await oldest(), null);
    await test.clock.advanceAsync(15_000);
    assertEquals(await oldest(), 10);
    await test.create({ priority: "critical" });
    assertEquals(await oldest(), 10);
    test.runOf(running).resolve();
    await settle();
    await test.clock.advanceAsync(1_000);
    assertEquals(await oldest(), 11);
  },
);

Deno.test("stats() tells the oldest of all that waits, whatever queues, priorities and types there are", async () => {
  const anyJob = fc.record({
    queue: fc.nat({ max: 40 }).map((n) => `q${n}`),
    priority: fc.constantFrom(...JOB_PRIORITIES),
    job_type: fc.constantFrom("gone", "lost"),
    waitsMs: fc.constantFrom(null, null, 1_000, 60_000, 3_600_000),
    passMs: fc.constantFrom(0, 0, 1, 500, 90_000),
    isCancelled: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anyJob, { maxLength: 120, size: "max" }), async (wishes) => {
      const test = await TestRuntime.open({ startNow: false });
      const since: number[] = [];
      for (const { waitsMs, passMs, isCancelled, ...spec } of wishes) {
        const now = test.clock.now();
        const scheduled_at = waitsMs === null ? null : new Date(now + waitsMs).toISOString();
        const { job } = await test.commands.create(aSpec({ ...spec, scheduled_at }), TESTER);
        if (isCancelled) await test.commands.cancel(job.id, TESTER);
        else since.push(now + (waitsMs ?? 0));
        await test.clock.advanceAsync(passMs);
      }
      const oldest = Math.min(...since);
      const now = test.clock.now();
      const { oldest_waiting_seconds } = await test.queries.stats();
      assertEquals(oldest_waiting_seconds, oldest > now ? null : (now - oldest) / 1000);
      await test.stop();
    }),
    { numRuns: 60 },
  );
});

Deno.test("stats() reads little where a thousand queues have jobs that wait, and where one has thousands", async () => {
  const store = new CountingStore(new MemoryStore());
  const test = await TestRuntime.open({ store, startNow: false });
  const soon = new Date(test.clock.now() + 60_000).toISOString();
  const specs = Array.from({ length: 1_000 }, (_, n) => aSpec({ queue: `q${n}` }));
  await test.commands.createMany(specs, TESTER);
  const ofQueues = await store.during(() => test.queries.stats());
  assert(ofQueues.requests < 200, `${ofQueues.requests} requests`);
  await test.commands.createMany(specs.map((spec) => ({ ...spec, scheduled_at: soon })), TESTER);
  for (let batch = 0; batch < 5; batch++) {
    await test.commands.createMany(Array(1_000).fill(aSpec()), TESTER);
    await test.commands.createMany(Array(1_000).fill(aSpec({ scheduled_at: soon })), TESTER);
  }
  const ofMore = await store.during(() => test.queries.stats());
  assert(ofMore.requests < 2 * ofQueues.requests, `${ofMore.requests} after ${ofQueues.requests} requests`);
  await test.stop();
});

Deno.test("stats() reads little of each where hundreds of queues have many jobs that wait", async () => {
  const store = new CountingStore(new MemoryStore());
  const test = await TestRuntime.open({ store, startNow: false });
  const soon = new Date(test.clock.now() + 60_000).toISOString();
  const specs = Array.from({ length: 200 }, (_, n) => aSpec({ queue: `q${n}`, scheduled_at: soon }));
  for (let batch = 0; batch < 10; batch++) {
    await test.commands.createMany([...specs, ...specs, ...specs, ...specs], TESTER);
  }
  const read = await store.during(() => test.queries.stats());
  assert(read.requests <= 1.2 * specs.length && read.entries <= 6 * specs.length, JSON.stringify(read));
  await test.stop();
});

runtimeTest(
  "stats() counts jobs that became final, by the last minute and the last hour",
  {},
  async (test) => {
    const complete = async () => {
      const id = await test.create();
      test.runOf(id).resolve();
      await settle();
      return id;
    };
    await complete();
    const broken = await test.create({ max_retries: 0 });
    test.runOf(broken).reject(new Error("no luck"));
    await settle();
    const { throughput } = await test.queries.stats();
    assertEquals(throughput.last_minute, { completed: 1, failed: 1, cancelled: 0 });
    await test.clock.advanceAsync(3 * 60_000);
    await complete();
    const later = await test.queries.stats();
    assertEquals(later.throughput.last_minute, { completed: 1, failed: 0, cancelled: 0 });
    assertEquals(later.throughput.last_hour, { completed: 2, failed: 1, cancelled: 0 });
    await test.clock.advanceAsync(3 * 3_600_000);
    assertEquals((await test.queries.stats()).throughput.last_hour, {
      completed: 0,
      failed: 0,
      cancelled: 0,
    });
  },
);

runtimeTest("stats() no longer counts a job that was deleted", {}, async (test) => {
  const id = await test.create();
  test.runOf(id).resolve();
  await settle();
  await test.commands.delete(id, TESTER);
  const { total, by_status } = await test.queries.stats();
  assertEquals([total, by_status], [0, NONE]);
});

Deno.test("stats() are the same after a restart", async () => {
  const before = await TestRuntime.open({ concurrency: 1 });
  for (const queue of ["a", "b", "a", "c"]) await before.create({ queue });
  for (let minute = 0; minute < 90; minute++) {
    before.open[0]?.resolve();
    await before.clock.advanceAsync(60_000);
    await before.create({ queue: "a" });
  }
  const stats = await before.queries.stats();
  const test = await TestRuntime.open({ store: before.store, clock: before.clock, startNow: false });
  assertEquals(await test.queries.stats(), stats);
  await test.close();
});
