import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Deadlines } from "../../src/events/deadlines.ts";
import { ManualClock } from "../support/manual_clock.ts";

Deno.test("each deadline fires at its time, whatever others are set and cleared around it", () => {
  const anyStep = fc.oneof(
    fc.record({ do: fc.constant("set" as const), ms: fc.nat(50) }),
    fc.record({ do: fc.constant("clear" as const), which: fc.nat(30) }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.nat(20) }),
  );
  fc.assert(fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const fired: [n: number, at: number][] = [];
    const set: { fire: () => void; at: number; cleared?: number }[] = [];
    for (const step of steps) {
      if (step.do === "pass") clock.advance(step.ms);
      else if (step.do === "set") {
        const n = set.length;
        const fire = () => void fired.push([n, clock.monotonic()]);
        set.push({ fire, at: clock.monotonic() + step.ms });
        deadlines.set(fire, step.ms);
      } else if (set.length > 0) {
        const one = set[step.which % set.length]!;
        one.cleared ??= clock.monotonic();
        deadlines.clear(one.fire);
      }
    }
    clock.advance(100);
    const due = set.map(({ at, cleared }, n) => [n, at, cleared ?? Infinity] as const)
      .filter(([n, at, cleared]) => at < cleared || fired.some(([each]) => each === n));
    assertEquals(fired.toSorted(([a], [b]) => a - b), due.map(([n, at]) => [n, at]));
    assertEquals(fired.map(([, at]) => at), fired.map(([, at]) => at).toSorted((a, b) => a - b));
  }));
});

Deno.test("deadlines have one timer, which is set anew only for one before all others", () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const fires = Array.from({ length: 100 }, () => () => {});
  for (const [i, fire] of fires.entries()) deadlines.set(fire, 1_000 + i);
  assertEquals([clock.pending, clock.untilNext], [1, 1_000]);
  deadlines.clear(fires[0]!);
  assertEquals([clock.pending, clock.untilNext], [1, 1_000]);
  deadlines.set(fires[0]!, 500);
  assertEquals([clock.pending, clock.untilNext], [1, 500]);
});

Deno.test("closed deadlines still fire, and leave no timer once there is nothing", () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  let fired = 0;
  const [one, other] = [() => void (fired += 1), () => void (fired += 1)];
  deadlines.set(one, 1_000);
  deadlines.set(other, 2_000);
  deadlines.close();
  clock.advance(1_000);
  assertEquals([fired, clock.pending], [1, 1]);
  deadlines.clear(other);
  assertEquals(clock.pending, 0);
  const idle = new Deadlines(clock);
  idle.set(one, 1_000);
  idle.clear(one);
  idle.close();
  assertEquals(clock.pending, 0);
});

Deno.test("a callback that throws is reported, and keeps no other from firing", () => {
  const reported: string[] = [];
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    reported.push(event.error.message);
  };
  globalThis.addEventListener("error", onError);
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  let fired = 0;
  deadlines.set(() => {
    throw new Error("a callback failed");
  }, 10);
  deadlines.set(() => void (fired += 1), 10);
  deadlines.set(() => void (fired += 1), 20);
  clock.advance(100);
  globalThis.removeEventListener("error", onError);
  assertEquals([fired, reported], [2, ["a callback failed"]]);
});

Deno.test("what a callback clears does not fire, and what it sets anew fires at the new time", () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const fired: [string, number][] = [];
  const [cleared, moved] = ["cleared", "moved"].map((name) => () =>
    void fired.push([name, clock.monotonic()])
  );
  const start = clock.monotonic();
  deadlines.set(() => {
    deadlines.clear(cleared!);
    deadlines.set(moved!, 1_000);
  }, 10);
  deadlines.set(cleared!, 10);
  deadlines.set(moved!, 10);
  clock.advance(2_000);
  assertEquals(fired, [["moved", start + 1_010]]);
});
