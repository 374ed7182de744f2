import { assertEquals, assertThrows } from "@std/assert";
import { sleep } from "../../src/events/clock.ts";
import { ManualClock } from "./manual_clock.ts";

Deno.test("ManualClock runs due timers in order, each at its own time", () => {
  const clock = new ManualClock(1_000);
  const seen: [string, number, number][] = [];
  const note = (name: string) => () => seen.push([name, clock.now(), clock.monotonic()]);
  clock.setTimeout(note("late"), 20);
  clock.setTimeout(note("early"), 10);
  clock.setTimeout(note("early too"), 10);
  clock.setTimeout(() => clock.setTimeout(note("set by a timer"), 5), 1);
  const cleared = clock.setTimeout(note("cleared"), 3);
  clock.clearTimeout(cleared);

  clock.advance(10);
  assertEquals(seen, [["set by a timer", 1_006, 6], ["early", 1_010, 10], ["early too", 1_010, 10]]);
  assertEquals([clock.pending, clock.untilNext], [1, 10]);
  clock.advance(10);
  assertEquals(seen.at(-1), ["late", 1_020, 20]);
  assertEquals([clock.pending, clock.untilNext], [0, undefined]);
});

Deno.test("ManualClock lets asynchronous code follow between timers", async () => {
  const clock = new ManualClock();
  const seen: number[] = [];
  const done = (async () => {
    for (let i = 0; i < 3; i++) {
      await sleep(clock, 100);
      seen.push(clock.monotonic());
    }
  })();
  await clock.advanceAsync(299);
  assertEquals(seen, [100, 200]);
  await clock.advanceAsync(1);
  assertEquals(seen, [100, 200, 300]);
  await done;
});

Deno.test("ManualClock jumps the wall clock alone, forward and back", () => {
  const clock = new ManualClock("2026-01-07T10:15:00.000Z");
  const start = clock.now();
  let fired = false;
  clock.setTimeout(() => fired = true, 1_000);
  clock.jump(5_000);
  clock.jump(-3_600_000);
  assertEquals([clock.now(), clock.monotonic(), fired], [start - 3_595_000, 0, false]);
});

Deno.test("ManualClock refuses a timeout that the real clock would cut short", () => {
  assertThrows(() => new ManualClock().setTimeout(() => {}, 2 ** 31), RangeError);
});
