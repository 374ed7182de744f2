import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { validate, version } from "uuid";
import { lowestJobId, newJobId, positionIn, timeIn } from "../../../src/actors/job/id.ts";
import { firstIdAt } from "../../../src/events/ids.ts";

const anyTime = fc.integer({ min: 0, max: 2 ** 48 - 2 });
const anyPosition = fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 44 - 1 }));

Deno.test("a job id is a UUIDv7 that tells when it was made and where the job's first event is", () => {
  fc.assert(fc.property(anyTime, anyPosition, (ms, position) => {
    const id = newJobId(ms, position);
    assert(validate(id) && version(id) === 7);
    assertEquals([timeIn(id), positionIn(id)], [ms, position]);
    // What the id says that was asked about last is remembered, an earlier one is read again.
    timeIn(newJobId(1, 1));
    assertEquals([timeIn(id), positionIn(id)], [ms, position]);
    assert(firstIdAt(ms) <= id && id < firstIdAt(ms + 1));
  }));
});

Deno.test("job ids sort as their times and, within a millisecond, as their positions", () => {
  fc.assert(
    fc.property(anyTime, anyPosition, anyTime, anyPosition, (ms, position, otherMs, otherPosition) => {
      const first = ms - otherMs || position - otherPosition;
      if (first === 0) return;
      assertEquals(newJobId(ms, position) < newJobId(otherMs, otherPosition), first < 0);
    }),
  );
});

Deno.test("no id of a place sorts before the place's lowest, nor any of an earlier place behind it", () => {
  fc.assert(fc.property(anyTime, anyPosition, (ms, position) => {
    const lowest = lowestJobId(ms, position);
    assert(lowest <= newJobId(ms, position));
    if (position > 0) assert(newJobId(ms, position - 1) < lowest);
  }));
});

Deno.test("two ids for one place differ, so that a job that was lost is never taken for the next", () => {
  const ids = Array.from({ length: 1_000 }, () => newJobId(1, 1));
  assertEquals(new Set(ids).size, ids.length);
  assertMatch(ids[0]!, /^00000000-0001-7000-8000-00001[0-9a-f]{7}$/);
});

Deno.test("a position that an id cannot hold is refused rather than cut", () => {
  assertThrows(() => newJobId(1, 2 ** 44), RangeError, "too large for a job id");
});
