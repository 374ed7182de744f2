import {
  assert,
  assertEquals,
  AssertionError,
  assertIsError,
  assertRejects,
  assertThrows,
} from "@std/assert";
import * as library from "@std/assert";

Deno.test("@std/assert exports at run time exactly the 27 names that its types declare", async () => {
  const types = await Deno.readTextFile(new URL("../../vendor/std-assert/mod.d.ts", import.meta.url));
  const declared = [...types.matchAll(/^export (?:function|class) (\w+)/gm)].map((match) => match[1]);
  const expected = [...new Set(declared)].sort();
  assertEquals(expected.length, 27);
  assertEquals(Object.keys(library).sort(), expected);
});

Deno.test("assert() narrows the type of what it is given", () => {
  const value = JSON.parse('"text"') as string | number;
  assert(typeof value === "string");
  const narrowed: string = value;
  assertEquals(narrowed, "text");
});

Deno.test("assertThrows() and assertRejects() answer the error, typed by its class", async () => {
  const thrown: RangeError = assertThrows(
    () => {
      throw new RangeError("too far");
    },
    RangeError,
    "far",
  );
  const rejected: TypeError = await assertRejects(() => Promise.reject(new TypeError("no")), TypeError);
  assertEquals([thrown.message, rejected.message], ["too far", "no"]);
});

Deno.test("a failed assertion throws AssertionError", () => {
  const error: unknown = assertThrows(() => assertEquals<unknown>(1, 2));
  assertIsError(error, AssertionError);
});
