import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { textOf, utf8 } from "../../src/events/utf8.ts";

const texts = fc.oneof(fc.string({ unit: "binary" }), fc.string({ minLength: 5_000, maxLength: 25_000 }));

Deno.test("utf8() gives the bytes that TextEncoder gives, and later texts leave them alone", () => {
  fc.assert(fc.property(fc.array(texts, { maxLength: 50 }), (list) => {
    const all = list.map(utf8);
    assertEquals(all, list.map((text) => new TextEncoder().encode(text)));
  }));
});

Deno.test("textOf() gives back the text", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    assertEquals(textOf(utf8("." + text)), "." + text);
  }));
});

Deno.test("textOf() refuses bytes that are not UTF-8, and takes a U+FFFD that was written", () => {
  assertThrows(() => textOf(new Uint8Array([0x61, 0xff])), TypeError);
  assertEquals(textOf(utf8("\uFFFD?")), "\uFFFD?");
});
