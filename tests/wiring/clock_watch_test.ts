import { assertEquals } from "@std/assert";
import { watchClock } from "../../src/wiring/clock_watch.ts";
import { ManualClock } from "../support/manual_clock.ts";

const HOUR_MS = 3_600_000;

function watching(logAheadMs: number) {
  const clock = new ManualClock();
  const log = { time: clock.now() + logAheadMs };
  const told: (number | "caught up")[] = [];
  const stop = watchClock({
    log,
    clock,
    onBehind: (ms) => told.push(ms),
    onCaughtUp: () => told.push("caught up"),
  });
  return { clock, log, told, stop };
}

Deno.test("a clock that is behind the log is told of at once, and again when it has caught up", () => {
  const { clock, told } = watching(HOUR_MS);
  assertEquals(told, [HOUR_MS]);
  clock.advance(HOUR_MS - 1);
  assertEquals(told, [HOUR_MS], "once is enough");
  clock.advance(60_000);
  assertEquals(told, [HOUR_MS, "caught up"]);
});

Deno.test("a clock that is set back while Daybook runs is told of within a minute", () => {
  const { clock, told } = watching(0);
  clock.jump(-HOUR_MS);
  clock.advance(60_000);
  assertEquals(told, [HOUR_MS - 60_000]);
});

Deno.test("a clock that is set back by a few seconds, as those that are kept in step are, is not told of", () => {
  const { clock, told, stop } = watching(30_000);
  clock.advance(5 * 60_000);
  assertEquals(told, []);
  stop();
  assertEquals(clock.pending, 0);
});
