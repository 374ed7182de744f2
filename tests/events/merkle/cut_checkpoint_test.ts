import { assertEquals } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { signCheckpoint } from "../../../src/events/merkle/checkpoint.ts";
import { cutOffEnd } from "../../../src/events/merkle/cut_checkpoint.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const noteOf = (size: number) =>
  signCheckpoint({ origin: "019b97f3-dca0-7000-8000-064e3ace5256", size, root: new Uint8Array(32).fill(7) }, {
    name: "019b97f3-dca0-7000-8000-064e3ace5256",
    privateKey,
  });
const [first, second] = [noteOf(1), noteOf(1012)] as const;

/** The second note, cut off after each number of bytes that leaves something to be said. */
function cuts(): string[] {
  const bytes = new TextEncoder().encode(second);
  return Array.from(
    { length: bytes.length - 2 },
    (_, i) => new TextDecoder().decode(bytes.subarray(0, i + 1)),
  );
}

Deno.test("a checkpoint that is cut off at any byte is told from what is whole, alone and behind others", () => {
  for (const cut of cuts()) {
    assertEquals(cutOffEnd(cut), cut);
    assertEquals(cutOffEnd(first + cut), cut);
    assertEquals(cutOffEnd(`${first}\n\n${cut}`), cut);
  }
});

Deno.test("what is whole is not cut off, also without its last line break", () => {
  for (const whole of ["", first, first + second, `${first}${second}\n\n`, second.slice(0, -1)]) {
    assertEquals(cutOffEnd(whole), "");
    assertEquals(cutOffEnd(first + whole), "");
  }
});

Deno.test("a checkpoint that was altered is not taken for one that was cut off", () => {
  const [id, size, root, , signature] = second.split("\n");
  const altered = [
    `${first}— ${id!.slice(0, 9)}`,
    `${first}a remark`,
    `${first}2026-01-01`,
    `${id}\nmany`,
    `${id}\n${size}\n${root!.slice(1)}\n\n— ${id}`,
    `${id}\n${size}\n${root}\nmore\n\n— ${id}`,
    `${id}\n${size}\n${root}\n\n${signature!.slice(0, -9)}\n`,
    `${id}\n${size}\n${root}\n\n— another ${signature!.slice(-30)}`,
    `${id}\n${size}\n${root}\n\n${signature!.replace("=", "A")}`,
    `${id}\n${size}\n${root}\n\n${signature!.slice(0, 60)}!`,
  ];
  for (const text of altered) assertEquals(cutOffEnd(text), "", text);
});
