import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseIsoTime, toIsoTime } from "../../src/events/iso_time.ts";

const YEAR_10000 = Date.UTC(10_000, 0);

Deno.test("times are written and read as Date does, in whatever order they come", () => {
  const ms = fc.integer({ min: -62_167_219_200_000, max: 2 * YEAR_10000 });
  fc.assert(fc.property(fc.array(ms), (times) => {
    for (const time of [...times, ...times]) {
      const text = new Date(time).toISOString();
      assertEquals(toIsoTime(time), text);
      assertEquals(parseIsoTime(text), time);
    }
  }));
});

Deno.test("a time that is none is none each time", () => {
  for (const text of ["", "yesterday", "yesterday", ""]) assertEquals(parseIsoTime(text), NaN);
});

Deno.test("the digits of a day's first and last moment", () => {
  assertEquals(toIsoTime(0), "1970-01-01T00:00:00.000Z");
  assertEquals(toIsoTime(-1), "1969-12-31T23:59:59.999Z");
  assertEquals(toIsoTime(YEAR_10000 - 1), "9999-12-31T23:59:59.999Z");
});
