import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { keepBytes, takeBytes } from "../../src/events/shared_bytes.ts";

Deno.test("no two that take bytes get the same, and of large ones each has its own buffer", () => {
  const size = fc.oneof(fc.nat(300), fc.nat(100_000));
  fc.assert(
    fc.property(fc.array(fc.tuple(size, fc.nat(100)), { minLength: 200 }), (sizes) => {
      const all = sizes.map(([size, percent], i) => {
        const kept = Math.floor(size * percent / 100);
        return keepBytes(takeBytes(size).fill(i % 251), kept);
      });
      assertEquals(
        all.map(({ length }) => length),
        sizes.map(([size, share]) => Math.floor(size * share / 100)),
      );
      all.forEach((bytes, i) => assertEquals(bytes.every((byte) => byte === i % 251), true));
    }),
    { numRuns: 20 },
  );
  assertEquals(takeBytes(40_000).buffer.byteLength, 40_000);
});
