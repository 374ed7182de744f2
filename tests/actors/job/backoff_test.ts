import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { backoffDelayMs } from "../../../src/actors/job/backoff.ts";
import { BACKOFF_DEFAULT } from "../../../src/actors/job/job.ts";

const MINUTE_MS = 60_000;

const anyBackoff = fc.record({
  base_seconds: fc.double({ min: 0, max: 31_536_000, noNaN: true }),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  max_seconds: fc.double({ min: 0, max: 31_536_000, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const anyRetryCount = fc.integer({ min: 0, max: 25 });
const anyDraw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

Deno.test("backoffDelayMs() waits 2, 4, 8 minutes and so on with the defaults", () => {
  const minutes = [0, 1, 2, 3, 4].map((retries) => backoffDelayMs(BACKOFF_DEFAULT, retries, 0.7) / MINUTE_MS);
  assertEquals(minutes, [2, 4, 8, 16, 32]);
});

Deno.test("backoffDelayMs() never waits longer than a day with the defaults", () => {
  assertEquals(backoffDelayMs(BACKOFF_DEFAULT, 25, 0), 24 * 60 * MINUTE_MS);
});

Deno.test("backoffDelayMs() lengthens or shortens the wait by up to the jitter's share", () => {
  const backoff = { ...BACKOFF_DEFAULT, jitter: 0.25 };
  assertEquals(backoffDelayMs(backoff, 0, 0), 90_000);
  assertEquals(backoffDelayMs(backoff, 0, 0.5), 120_000);
  assert(backoffDelayMs(backoff, 0, 1 - Number.EPSILON) <= 150_000);
});

Deno.test("backoffDelayMs() stays within its bounds whatever the backoff, the retries and the draw", () => {
  fc.assert(fc.property(anyBackoff, anyRetryCount, anyDraw, (backoff, retryCount, random) => {
    const delay = backoffDelayMs(backoff, retryCount, random);
    assert(Number.isInteger(delay) && delay >= 0, `${delay} is no delay`);
    assert(delay <= Math.round(backoff.max_seconds * 1000), `${delay} ms is over ${backoff.max_seconds} s`);
  }));
});

Deno.test("backoffDelayMs() never waits less after one more failure when there is no jitter", () => {
  fc.assert(fc.property(anyBackoff, anyRetryCount, (backoff, retryCount) => {
    const calm = { ...backoff, jitter: 0 };
    assert(backoffDelayMs(calm, retryCount, 0) <= backoffDelayMs(calm, retryCount + 1, 0));
  }));
});

Deno.test("backoffDelayMs() refuses a count of retries that is none", () => {
  for (const retryCount of [-1, 0.5, NaN, Infinity]) {
    assertThrows(() => backoffDelayMs(BACKOFF_DEFAULT, retryCount, 0), RangeError);
  }
});
