import { assertEquals } from "@std/assert";
import { JobScheduler } from "../../src/actors/job_scheduler.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { settle } from "../support/manual_clock.ts";
import { bulkSpec, createMany } from "./support/bulk.ts";
import { created, fold } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { runtimeTest, TestRuntime } from "./support/test_runtime.ts";

Deno.test("JobScheduler chooses the jobs of the reserved queue for the reserved slot alone, and no others", () => {
  const scheduler = new JobScheduler({
    store: new MemoryStore(),
    log: { find: () => Promise.resolve([]) },
    handles: () => true,
    jobTypes: () => ["echo"],
    read: () => Promise.resolve([]),
    now: () => 10,
    preload: async (find) => void await find(),
    onFound: () => {},
    reservedQueue: "apart",
    onError: () => {},
  });
  const states = ["default", "apart", "apart", "default"].map((queue, i) => ({
    ...fold(created({ queue })),
    id: `job-${i}`,
    readyAt: 10 - i,
  }));
  scheduler.landed(
    states.map((after) => ({
      change: { before: null, after },
      stream: after.id,
      events: [],
      landed: Promise.resolve(),
    })),
  );
  assertEquals([scheduler.nextDueAt(), scheduler.nextDueAt("reserved")], [7, 8]);
  const take = (kind: "ordinary" | "reserved") => [1, 2, 3].map(() => scheduler.take(10, kind));
  assertEquals(scheduler.wouldBeNext(10, "reserved"), false);
  assertEquals(take("reserved"), ["job-2", "job-1", undefined]);
  assertEquals([scheduler.wouldBeNext(10, "reserved"), scheduler.wouldBeNext(10)], [true, false]);
  assertEquals(take("ordinary"), ["job-3", "job-0", undefined]);
});

runtimeTest("a bulk operation that was scheduled starts in time though every slot hangs", {
  concurrency: 1,
}, async (test) => {
  await test.create();
  const [waiting] = await createMany(test, 1);
  const spec = bulkSpec({ action: "cancel", filter: {} }, { scheduled_at: "2026-01-07T10:20:00.000Z" });
  const { job } = await test.commands.create(spec, TESTER);
  await test.clock.advanceAsync(5 * 60_000 - 1);
  assertEquals([await test.status(job.id), await test.status(waiting!)], ["queued", "queued"]);
  await test.clock.advanceAsync(1);
  assertEquals([await test.status(job.id), await test.status(waiting!)], ["completed", "cancelled"]);
});

Deno.test("a bulk operation that waits when Daybook starts runs though every slot is taken", async () => {
  const test = await TestRuntime.open({ concurrency: 1, startNow: false });
  const [first, second] = await createMany(test, 2, () => ({ scheduled_at: null }));
  const { job } = await test.commands.create(bulkSpec({ action: "cancel", filter: {} }), TESTER);
  await test.start();
  await settle();
  assertEquals([await test.status(first!), await test.status(second!)], ["processing", "cancelled"]);
  assertEquals(await test.status(job.id), "completed");
  await test.close();
});

runtimeTest(
  "a graceful stop gives a bulk operation back, and the next start goes on with it",
  {},
  async (test) => {
    await createMany(test, 3_000);
    const { job } = await test.commands.create(bulkSpec({ action: "cancel", filter: {} }), TESTER);
    const stopping = test.runtime.stop();
    test.runtime.hurry();
    await test.clock.advanceAsync(0);
    await stopping;
    const next = await TestRuntime.open({ store: test.store, clock: test.clock });
    const signal = new AbortController().signal;
    const { status, result } = (await next.queries.waitUntilFinal(job.id, 60_000, signal))!;
    assertEquals([status, (result as { changed: number }).changed], ["completed", 3_000]);
    const story = (await next.story(job.id)).filter((type) => type !== "progressed");
    assertEquals(story, ["created", "started", "released", "started", "completed"]);
    await next.stop();
  },
);
