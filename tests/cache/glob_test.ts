import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { compileGlob } from "../../src/cache/glob.ts";

/** The pattern as a regular expression: plain to read, and slow on the patterns that glob.ts must survive. */
function reference(pattern: string): RegExp {
  const source = [...pattern].map((character) =>
    character === "*" ? ".*" : character === "?" ? "." : character.replace(/[\\^$.|+()[\]{}\/]/u, "\\$&")
  );
  return new RegExp(`^${source.join("")}$`, "su");
}

Deno.test("compileGlob() means by * any run of characters and by ? one character", () => {
  const text = fc.array(fc.constantFrom("a", "b", ".", "[", "\\", "é", "🚀", "*", "?"), { maxLength: 12 });
  fc.assert(fc.property(text, text, (wanted, given) => {
    fc.pre(wanted.length > 0);
    const key = given.join("");
    assertEquals(compileGlob(wanted.join("")).matches(key), reference(wanted.join("")).test(key));
  }));
});

Deno.test("compileGlob() tells what every matching key begins with", () => {
  assertEquals(compileGlob("user:1?*").head, "user:1");
  assertEquals(compileGlob("*x").head, "");
  assertEquals(compileGlob("exact").head, "exact");
});

Deno.test("compileGlob() answers soon for a pattern made to take long", () => {
  const started = performance.now();
  assertEquals(compileGlob("*a".repeat(255) + "b").matches("a".repeat(512)), false);
  const took = performance.now() - started;
  assertEquals(took < 1000, true, `took ${took} ms`);
});

Deno.test("compileGlob() refuses an empty pattern", () => {
  assertThrows(() => compileGlob(""), RangeError);
});
