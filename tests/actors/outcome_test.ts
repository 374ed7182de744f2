import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { completed, errorMessage, failed } from "../../src/actors/outcome.ts";
import { PermanentError } from "../../src/handlers/handler.ts";

const KIB = 1024;
const bytes = (text: string) => new TextEncoder().encode(text).length;
const messageOf = (result: unknown) => {
  const outcome = completed(result);
  assert(outcome.type === "failed", "the result was taken");
  return outcome.errorMessage;
};

Deno.test("completed() takes a JSON object, and nothing for nothing", () => {
  assertEquals(completed({ a: [1, "b", null] }), { type: "completed", result: { a: [1, "b", null] } });
  assertEquals(completed(undefined), { type: "completed", result: null });
  assertEquals(completed(null), { type: "completed", result: null });
  assertEquals(completed({}), { type: "completed", result: {} });
});

Deno.test("completed() records what JSON makes of a result, and no part of the handler's own object", () => {
  const result = { at: new Date(0), gone: undefined, nan: NaN, inner: { n: 1 } };
  const outcome = completed(result);
  result.inner.n = 2;
  assertEquals(outcome, {
    type: "completed",
    result: { at: "1970-01-01T00:00:00.000Z", nan: null, inner: { n: 1 } },
  });
});

Deno.test("completed() fails a result that is no JSON object, and says what it is", () => {
  for (const result of ["text", 7, true, [1, 2], () => 1, Symbol("s")]) {
    assertMatch(messageOf(result), /^TypeError: the handler's result is not a JSON object but /);
  }
  assertStringIncludes(messageOf([1]), "an array");
  assertStringIncludes(messageOf(() => 1), "a function");
  assertStringIncludes(messageOf(new Date(0)), "TypeError: the handler's result is not a JSON object");
});

Deno.test("completed() fails a result that JSON cannot carry", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  assertMatch(messageOf(cyclic), /^TypeError: .*circular/);
  assertMatch(messageOf({ n: 1n }), /^TypeError: .*BigInt/);
  assertMatch(messageOf(1n), /^TypeError: .*BigInt/);
  const refusing = {
    toJSON() {
      throw new RangeError("not me");
    },
  };
  assertEquals(messageOf(refusing), "RangeError: not me");
  const trap = {
    get secret() {
      throw undefined;
    },
  };
  assertEquals(messageOf(trap), "Error: undefined");
});

Deno.test("completed() takes results up to 48 KiB as UTF-8 JSON and fails larger ones with both sizes", () => {
  const fits = { a: "x".repeat(48 * KIB - '{"a":""}'.length) };
  assertEquals(completed(fits), { type: "completed", result: fits });
  assertEquals(
    messageOf({ a: fits.a + "x" }),
    "RangeError: the handler's result has 49153 bytes as JSON, at most 49152 are allowed",
  );
  assertMatch(messageOf({ a: "€".repeat(16 * KIB) }), /^RangeError: .* has 49160 bytes/);
});

Deno.test("completed() fails a result that could not be given out again, and says where", () => {
  const nested = (levels: number) => {
    let inner: unknown = 1;
    for (let i = 0; i < levels - 1; i++) inner = [inner];
    return { a: inner };
  };
  assertEquals(completed(nested(64)).type, "completed");
  const TOO_DEEP = "TypeError: the handler's result cannot be kept, at 'a': nested deeper than 64 levels";
  assertEquals(messageOf(nested(65)), TOO_DEEP);
  assertEquals(messageOf(nested(3_000)), TOO_DEEP);
  assertEquals(
    messageOf(JSON.parse('{"__proto__": {"a": 1}}')),
    "TypeError: the handler's result cannot be kept, at '__proto__': a field cannot be named '__proto__'",
  );
});

Deno.test("completed() mends a text that was cut within a character, and nothing that only looks like one", () => {
  const result = { cut: "a😀".slice(0, 2), inner: ["\udc00b"], whole: "😀", text: "\\ud83d" };
  assertEquals(completed(result), {
    type: "completed",
    result: { cut: "a\uFFFD", inner: ["\uFFFDb"], whole: "😀", text: "\\ud83d" },
  });
});

Deno.test("failed() gives an error as name and message, and retries it unless it says that this is no use", () => {
  assertEquals(failed(new TypeError("required field 'to' missing from payload")), {
    type: "failed",
    errorMessage: "TypeError: required field 'to' missing from payload",
    retryable: true,
  });
  assertEquals(failed(new PermanentError("never")), {
    type: "failed",
    errorMessage: "PermanentError: never",
    retryable: false,
  });
  assertEquals(failed({ retryable: false }).type, "failed");
  assertEquals((failed({ retryable: false }) as { retryable: boolean }).retryable, false);
});

Deno.test("failed() describes whatever was thrown, errors or not", () => {
  const messages = [undefined, null, "just text", 42, Symbol("why"), { code: 7 }, ["a"], () => 1].map(
    errorMessage,
  );
  assertEquals(messages, [
    "Error: undefined",
    "Error: null",
    "Error: just text",
    "Error: 42",
    "Error: Symbol(why)",
    "Error: { code: 7 }",
    "Error: an array",
    "Error: a function",
  ]);
});

Deno.test("failed() never throws, however hostile the thing that was thrown", () => {
  const throwing = () => {
    throw new Error("from inside");
  };
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  const hostile = [
    {
      get name(): string {
        return throwing();
      },
      toString: throwing,
      [Symbol.toPrimitive]: throwing,
    },
    Object.defineProperty(new Error("x"), "message", { get: throwing }),
    Object.defineProperty(new Error("x"), "name", { value: Symbol("n") }),
    {
      get retryable() {
        return throwing();
      },
    },
    { [Symbol.for("Deno.customInspect")]: throwing },
    new Proxy({}, { get: throwing, getPrototypeOf: throwing, ownKeys: throwing, has: throwing }),
    new Proxy(new Error("x"), { get: throwing }),
    revoked,
    Object.create(null),
    Object.assign(new Error("x"), { cause: revoked }),
  ];
  for (const thrown of hostile) {
    const outcome = failed(thrown);
    assert(outcome.type === "failed" && outcome.retryable);
    assertMatch(outcome.errorMessage, /^\w+: /);
  }
});

Deno.test("failed() cuts a message to 4 KiB of well-formed text", () => {
  const shortest = errorMessage(new Error("x".repeat(10_000)));
  assert(bytes(shortest) <= 4 * KIB && shortest.endsWith("x…"), shortest.slice(-5));
  assertEquals(errorMessage(new Error("\ud800")), "Error: \ufffd");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 500, maxLength: 6_000, size: "max" }), (text) => {
      const message = errorMessage(new Error(text));
      assert(bytes(message) <= 4 * KIB && message.isWellFormed());
      assert(!message.slice(0, -1).includes("\ufffd") || text.includes("\ufffd"));
    }),
  );
});
