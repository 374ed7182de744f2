import { assertEquals } from "@std/assert";
import { describeDifference, describeViolation } from "../../src/audit/describe.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const key = ["j", "id"];

Deno.test("describeDifference() tells what is and what should be, of two objects the fields that differ", () => {
  const describe = (is: string | null, shouldBe: string | null) =>
    describeDifference({
      key,
      is: is === null ? null : bytes(is),
      shouldBe: shouldBe === null ? null : bytes(shouldBe),
    });
  assertEquals(describe(null, '{"a":1}'), '["j","id"]: is missing, should be {"a":1}');
  assertEquals(describe("", null), '["j","id"]: is there, empty, should not be there');
  assertEquals(describe("[1]", "[2]"), '["j","id"]: is [1], should be [2]');
  assertEquals(
    describe('{"a":1,"b":{"c":2},"d":3}', '{"b":{"c":4},"a":1,"e":null}'),
    '["j","id"]: b is {"c":2}, should be {"c":4}; e is missing, should be null; d is 3, should be missing',
  );
  assertEquals(describe("not JSON", '{"a":1}'), '["j","id"]: is not JSON, should be {"a":1}');
});

Deno.test("describeDifference() cuts long values", () => {
  const text = describeDifference({ key, is: bytes("x".repeat(5_000)), shouldBe: null });
  assertEquals(text, `["j","id"]: is ${"x".repeat(200)}… (5000 characters), should not be there`);
});

Deno.test("describeViolation() names the position, if it is of an event", () => {
  assertEquals(describeViolation({ position: 7, what: "its time is soon" }), "position 7: its time is soon");
  assertEquals(describeViolation({ position: null, what: "the head is older" }), "the head is older");
});
