import { assert, assertEquals } from "@std/assert";
import { FaultyStore } from "../support/faulty_store.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { timeIn } from "../../src/actors/job/id.ts";
import { aSpec } from "./support/facts.ts";
import { logOfJobs, TESTER } from "./support/log_of_jobs.ts";
import { runtimeTest, TestRuntime } from "./support/test_runtime.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function inFuture(test: TestRuntime, ms: number): string {
  return new Date(test.clock.now() + ms).toISOString();
}

runtimeTest("a scheduled job starts at its time, not a millisecond earlier", {}, async (test) => {
  const id = await test.create({ scheduled_at: inFuture(test, 5_000) });
  await test.clock.advanceAsync(4_999);
  assertEquals(await test.status(id), "queued");
  await test.clock.advanceAsync(1);
  assertEquals(await test.status(id), "processing");
});

runtimeTest(
  "one timer waits for the nearest of many scheduled jobs, and none is left when nothing waits",
  {},
  async (test) => {
    assertEquals(test.clock.pending, 0);
    for (let i = 0; i < 100; i++) await test.create({ scheduled_at: inFuture(test, 10_000 + i) });
    assertEquals([test.clock.pending, test.clock.untilNext], [1, 10_000]);
    const nearest = await test.create({ scheduled_at: inFuture(test, 1_000) });
    assertEquals([test.clock.pending, test.clock.untilNext], [1, 1_000]);
    await test.cancel(nearest);
    assertEquals([test.clock.pending, test.clock.untilNext], [1, 10_000]);
  },
);

runtimeTest(
  "a job that is scheduled beyond what a timer can wait starts at its time all the same",
  {},
  async (test) => {
    const id = await test.create({ scheduled_at: inFuture(test, 30 * DAY_MS) });
    await test.clock.advanceAsync(30 * DAY_MS - 1);
    assertEquals([await test.status(id), test.clock.pending], ["queued", 1]);
    await test.clock.advanceAsync(1);
    assertEquals(await test.status(id), "processing");
  },
);

runtimeTest("a clock that is set forward is noticed within a minute", {}, async (test) => {
  const id = await test.create({ scheduled_at: inFuture(test, 6 * HOUR_MS) });
  test.clock.jump(6 * HOUR_MS);
  await test.clock.advanceAsync(60_000);
  assertEquals(await test.status(id), "processing");
});

runtimeTest(
  "a clock that is set back starts nothing twice, and nothing before its time",
  {},
  async (test) => {
    const [first, second] = [
      await test.create({ scheduled_at: inFuture(test, 1_000) }),
      await test.create({ scheduled_at: inFuture(test, 2 * HOUR_MS) }),
    ];
    await test.clock.advanceAsync(1_000);
    test.runOf(first).resolve();
    await settle();
    test.clock.jump(-HOUR_MS);
    await test.clock.advanceAsync(HOUR_MS + 60_000);
    assertEquals([test.runs.length, await test.status(second)], [1, "queued"]);
    await test.clock.advanceAsync(2 * HOUR_MS);
    assertEquals([test.runs.length, await test.status(second)], [2, "processing"]);
  },
);

runtimeTest(
  "a clock that is set back keeps no job waiting that is due now",
  { concurrency: 1 },
  async (test) => {
    const first = await test.create();
    test.clock.jump(-HOUR_MS);
    const second = await test.create();
    test.runOf(first).resolve();
    await settle();
    assertEquals(await test.status(second), "processing");
    const times = (await test.runtime.log.read(0, 100)).map(({ event }) => event.time);
    assertEquals(times, [...times].sort());
  },
);

runtimeTest("a timeout follows the monotonic clock, however the wall clock jumps", {}, async (test) => {
  const id = await test.create({ timeout_seconds: 60 });
  test.clock.jump(DAY_MS);
  await test.clock.advanceAsync(59_999);
  assertEquals(test.runOf(id).context.signal.aborted, false);
  test.clock.jump(-2 * DAY_MS);
  await test.clock.advanceAsync(1);
  assertEquals(test.runOf(id).context.signal.aborted, true);
});

runtimeTest("a job that is moved to a later time at the very moment when it is due waits for that time", {
  concurrency: 1,
}, async (test) => {
  const running = await test.create();
  const id = await test.create();
  const later = inFuture(test, HOUR_MS);
  const moving = test.commands.update(id, { scheduled_at: later }, TESTER);
  test.runOf(running).resolve();
  assertEquals((await moving).scheduled_at, later);
  await settle();
  assertEquals(await test.status(id), "queued");
  await test.clock.advanceAsync(HOUR_MS);
  assertEquals(await test.status(id), "processing");
});

Deno.test("nothing polls while the log takes no writes", async () => {
  const store = new FaultyStore(new MemoryStore());
  const test = await TestRuntime.open({ store, deadlineMs: 1_000 });
  const id = await test.create({ scheduled_at: inFuture(test, 5_000) });
  const release = store.hold();
  const creating = test.commands.create(aSpec(), TESTER).catch((error: Error) => error.name);
  let wakeUps = 0;
  const { setTimeout } = test.clock;
  test.clock.setTimeout = function (callback, ms) {
    wakeUps += 1;
    return setTimeout.call(this, callback, ms);
  };
  await test.clock.advanceAsync(30_000);
  assert(wakeUps < 200, `${wakeUps} timers in 30 s`);
  release();
  await test.clock.advanceAsync(10_000);
  assertEquals([await creating, await test.status(id)], ["UnknownOutcomeError", "processing"]);
  await test.close();
});

Deno.test("ids are in the order of the log though the clock is set back while a job is being created", async () => {
  class Backward extends ManualClock {
    #readings = 0;
    override now(): number {
      return super.now() - 10 * this.#readings++;
    }
  }
  const { processor, log } = await logOfJobs({ clock: new Backward() });
  const ids = Array.from({ length: 20 }, () => {
    const create = { type: "create", spec: aSpec(), idempotency: null } as const;
    const { after, append } = processor.create(create, TESTER);
    assertEquals(timeIn(after.id), Date.parse(append!.events[0]!.event.time));
    return after.id;
  });
  assertEquals(ids, ids.toSorted());
  await log.close();
});
