import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { firstIdAt, monotonicIds } from "../../src/events/ids.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const LAST_MS = 2 ** 48 - 1;
const time = fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 1, max: LAST_MS }));

Deno.test("monotonicIds() grow, however the clock stands still or jumps", () => {
  fc.assert(fc.property(fc.array(time, { minLength: 2, maxLength: 50 }), (times) => {
    let i = 0;
    const newId = monotonicIds(() => times[i++ % times.length]!);
    const ids = Array.from({ length: 2 * times.length }, newId);
    for (const id of ids) assertMatch(id, UUID_V7);
    assertEquals(ids, ids.toSorted());
    assertEquals(new Set(ids).size, ids.length);
  }));
});

Deno.test("monotonicIds() stay in order and in their millisecond for thousands at the same moment", () => {
  const now = Date.parse("2026-01-07T10:15:00.000Z");
  const newId = monotonicIds(() => now);
  const ids = Array.from({ length: 20_000 }, newId);
  assertEquals(ids, ids.toSorted());
  assert(firstIdAt(now) <= ids[0]! && ids.at(-1)! < firstIdAt(now + 1));
});

Deno.test("firstIdAt() stands before every id of its millisecond and after every earlier one", () => {
  fc.assert(fc.property(time.filter((ms) => ms > 0 && ms < LAST_MS), (ms) => {
    const id = monotonicIds(() => ms)();
    assert(firstIdAt(ms) <= id);
    assert(firstIdAt(ms + 1) > id);
    assert(firstIdAt(ms - 1) < firstIdAt(ms));
    assertMatch(firstIdAt(ms), UUID_V7);
  }));
});

Deno.test("firstIdAt() takes times between milliseconds and before the epoch", () => {
  assertEquals(firstIdAt(1_767_780_900_123.9), firstIdAt(1_767_780_900_123));
  assertEquals(firstIdAt(-5), "00000000-0000-7000-8000-000000000000");
});
