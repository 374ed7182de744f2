import { assertEquals, assertRejects } from "@std/assert";
import { DeadlineError, sleep, withDeadline } from "../../src/events/clock.ts";
import { ManualClock } from "../support/manual_clock.ts";

Deno.test("withDeadline() answers as the promise does, and leaves no timer", async () => {
  const clock = new ManualClock();
  assertEquals(await withDeadline(clock, 10, "It", Promise.resolve(7)), 7);
  await assertRejects(
    () => withDeadline(clock, 10, "It", Promise.reject(new RangeError("no"))),
    RangeError,
    "no",
  );
  assertEquals(clock.pending, 0);
});

Deno.test("withDeadline() rejects when the time is up, and what the promise does later is nobody's concern", async () => {
  const clock = new ManualClock();
  const { promise, reject } = Promise.withResolvers<void>();
  const failed = assertRejects(
    () => withDeadline(clock, 10, "It", promise),
    DeadlineError,
    "It took longer than 10 ms",
  );
  await clock.advanceAsync(10);
  assertEquals([(await failed).what, (await failed).ms], ["It", 10]);
  reject(new Error("too late"));
  await clock.advanceAsync(0);
});

Deno.test("sleep() follows the monotonic clock: a jump of the wall clock neither ends nor prolongs it", async () => {
  const clock = new ManualClock();
  let awake = false;
  const sleeping = sleep(clock, 100).then(() => awake = true);
  clock.jump(1_000_000);
  await clock.advanceAsync(99);
  clock.jump(-2_000_000);
  assertEquals(awake, false);
  await clock.advanceAsync(1);
  await sleeping;
});
