import { assert, assertEquals, assertRejects } from "@std/assert";
import { IdempotencyKeyReusedError, IdempotentJobDeletedError } from "../../src/actors/errors.ts";
import { expiringRecords } from "../../src/actors/expiring_records.ts";
import { LogUnavailableError } from "../../src/events/errors.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { assertProjectionsMatchLog } from "../support/consistency.ts";
import { FaultyStore } from "../support/faulty_store.ts";
import { settle } from "../support/manual_clock.ts";
import { aSpec } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { SlowStore } from "./support/slow_store.ts";
import { runtimeTest, TestRuntime } from "./support/test_runtime.ts";

const DAY_MS = 24 * 3_600_000;
const KEY = { key: "order-7", bodyHash: "body-a" };
const OTHER_BODY = { ...KEY, bodyHash: "body-b" };

function create(test: TestRuntime, idempotency = KEY, actor = "tester") {
  return test.commands.create(aSpec(), { ...TESTER, actor }, idempotency);
}

runtimeTest(
  "create() with a key that was used answers the job as it is now, and creates none",
  {},
  async (test) => {
    const first = await create(test);
    assertEquals([first.created, first.job.status], [true, "queued"]);
    await settle();
    test.runOf(first.job.id).resolve({ done: true });
    await settle();
    const again = await create(test);
    assertEquals([again.created, again.job.id, again.job.status], [false, first.job.id, "completed"]);
    assertEquals((await test.queries.stats()).total, 1);
  },
);

runtimeTest(
  "create() with a key that was used for another body is refused and names the job",
  {},
  async (test) => {
    const { job } = await create(test);
    const error = await assertRejects(() => create(test, OTHER_BODY), IdempotencyKeyReusedError);
    assertEquals(error.jobId, job.id);
  },
);

runtimeTest(
  "create() keeps the keys of two tokens apart, even when their names run together",
  {},
  async (test) => {
    const answers = [
      await create(test, { ...KEY, key: "x" }, "alice"),
      await create(test, { ...KEY, key: "x" }, "bob"),
      await create(test, { ...KEY, key: "bx" }, "a"),
      await create(test, { ...KEY, key: "x" }, "ab"),
    ];
    assertEquals(answers.map(({ created }) => created), [true, true, true, true]);
  },
);

runtimeTest("create() makes one job of equals that race, and refuses those that differ", {}, async (test) => {
  const racers = await Promise.allSettled([
    create(test),
    create(test),
    create(test, OTHER_BODY),
    create(test),
  ]);
  const jobs = racers.filter((racer) => racer.status === "fulfilled").map(({ value }) => value);
  assertEquals(jobs.map(({ created }) => created), [true, false, false]);
  assertEquals(new Set(jobs.map(({ job }) => job.id)).size, 1);
  assert(racers[2]?.status === "rejected" && racers[2].reason instanceof IdempotencyKeyReusedError);
  assertEquals((await test.queries.stats()).total, 1);
});

Deno.test("create() fails those that race together with the one that creates, and the key is free again", async () => {
  const store = new FaultyStore(new MemoryStore());
  const test = await TestRuntime.open({ store });
  store.onCommits("lost_commit");
  const racers = Promise.allSettled([create(test), create(test)]);
  await test.clock.advanceAsync(10_000);
  for (const racer of await racers) {
    assert(racer.status === "rejected" && racer.reason instanceof LogUnavailableError);
  }
  assertEquals((await create(test)).created, true);
  await test.close();
});

runtimeTest("create() forgets a key after 24 hours", {}, async (test) => {
  const { job } = await create(test);
  await test.clock.advanceAsync(DAY_MS - 1);
  assertEquals((await create(test)).job.id, job.id);
  await test.clock.advanceAsync(1);
  const next = await create(test, OTHER_BODY);
  assertEquals(next.created, true);
  assert(next.job.id !== job.id);
  assertEquals((await create(test, OTHER_BODY)).job.id, next.job.id);
});

runtimeTest(
  "create() does not do the work of a deleted job again, until its key is forgotten",
  {},
  async (test) => {
    const { job } = await create(test);
    await settle();
    test.runOf(job.id).resolve();
    await settle();
    await test.commands.delete(job.id, TESTER);
    const error = await assertRejects(() => create(test), IdempotentJobDeletedError);
    assertEquals(error.jobId, job.id);
    await assertRejects(() => create(test, OTHER_BODY), IdempotencyKeyReusedError);
    await test.clock.advanceAsync(DAY_MS);
    assertEquals((await create(test)).created, true);
  },
);

runtimeTest("createdBefore() answers what create() would, and creates nothing", {}, async (test) => {
  assertEquals(await test.commands.createdBefore(KEY, TESTER), undefined);
  const { job } = await create(test);
  assertEquals((await test.commands.createdBefore(KEY, TESTER))?.id, job.id);
  await assertRejects(() => test.commands.createdBefore(OTHER_BODY, TESTER), IdempotencyKeyReusedError);
  await test.clock.advanceAsync(DAY_MS);
  assertEquals(await test.commands.createdBefore(KEY, TESTER), undefined);
  assertEquals((await test.queries.stats()).total, 1);
});

Deno.test("create() still knows its keys after a restart", async () => {
  const before = await TestRuntime.open();
  const { job } = await create(before);
  const test = await TestRuntime.open({ store: before.store, clock: before.clock });
  assertEquals(await create(test).then(({ created, job }) => [created, job.id]), [false, job.id]);
  await assertRejects(() => create(test, OTHER_BODY), IdempotencyKeyReusedError);
  await test.close();
});

Deno.test("create() repeated while it is not known whether the first landed never makes a second job", async () => {
  const slow = new SlowStore(new MemoryStore());
  const store = new FaultyStore(slow);
  const test = await TestRuntime.open({ store, deadlineMs: 5_000, unknownAfterMs: 2_000 });
  const first = create(test).catch((error: Error) => error.name);
  // Six times the head cannot be read; then the repetition looks for its key; the commit lands before the ninth read.
  store.onCommits({ late: "never answers", before: 9 });
  store.onReads("rejects", "rejects", "rejects", "rejects", "rejects", "rejects", "none", "rejects");
  await test.clock.advanceAsync(7_000);
  assertEquals(await first, "UnknownOutcomeError");
  // It is answered only when all is settled.
  slow.slow.add("get");
  const second = create(test).catch((error: Error) => error.name);
  await settle();
  slow.slow.clear();
  await test.clock.advanceAsync(30_000);
  while (slow.waiting > 0) slow.release();
  await test.clock.advanceAsync(30_000);
  assertEquals(await second, "UnknownOutcomeError");
  store.heal();
  await create(test);
  assertEquals((await test.queries.stats()).total, 1);
  await test.close();
});

Deno.test("deleteExpired() removes expired keys, also of a key that was used anew, and no other", async () => {
  const test = await TestRuntime.open();
  const records = expiringRecords(test.store, test.runtime.jobs, TESTER);
  const { signal } = new AbortController();
  for (let i = 0; i < 450; i++) await create(test, { key: `old-${i}`, bodyHash: "b" });
  await test.clock.advanceAsync(DAY_MS - 1);
  assertEquals(await records.deleteExpired(new Date(test.clock.now()), signal), 0);
  await test.clock.advanceAsync(2);
  const renewed = await create(test, { key: "old-7", bodyHash: "c" });
  const fresh = await create(test, { key: "fresh", bodyHash: "b" });
  assertEquals(await records.deleteExpired(new Date(test.clock.now()), signal), 450);
  assertEquals(await records.deleteExpired(new Date(test.clock.now()), signal), 0);
  assertEquals((await create(test, { key: "old-7", bodyHash: "c" })).job.id, renewed.job.id);
  assertEquals((await create(test, { key: "fresh", bodyHash: "b" })).job.id, fresh.job.id);
  assertEquals((await test.store.list({ prefix: ["i"] }, { limit: 10 })).length, 2);
  await test.stop();
  await assertProjectionsMatchLog(test.store, { now: test.clock.now() });
});
