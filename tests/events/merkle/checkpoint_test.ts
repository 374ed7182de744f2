import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { generateKeyPairSync } from "node:crypto";
import { isCheckpointBy, parseCheckpoint, signCheckpoint } from "../../../src/events/merkle/checkpoint.ts";
import { MalformedNoteError, rawPublicKey } from "../../../src/events/merkle/signed_note.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const signer = { name: "019b97f3-dca0-7000-8000-000000000001", privateKey };
const verifier = { name: signer.name, publicKey: rawPublicKey(publicKey) };
const root = new Uint8Array(32).fill(7);

Deno.test("a checkpoint is three lines and a signature", () => {
  const note = signCheckpoint({ origin: signer.name, size: 1_000, root }, signer);
  const [origin, size, hash, empty, signature] = note.split("\n");
  assertEquals([origin, size, empty], [signer.name, "1000", ""]);
  assertEquals(hash, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
  assert(signature!.startsWith(`— ${signer.name} `));
  assertEquals(parseCheckpoint(note), { origin: signer.name, size: 1_000, root });
  assert(isCheckpointBy(note, verifier));
});

Deno.test("a checkpoint of another log's is not taken for this one's, even signed with the same key", () => {
  const note = signCheckpoint({ origin: "another", size: 1, root }, signer);
  assert(!isCheckpointBy(note, verifier));
});

Deno.test("any size and root come back as they were", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (size, root) => {
      const note = signCheckpoint({ origin: signer.name, size, root }, signer);
      assertEquals(parseCheckpoint(note), { origin: signer.name, size, root: new Uint8Array(root) });
    }),
    { numRuns: 50 },
  );
});

Deno.test("what is no checkpoint is refused", () => {
  const note = (text: string) => `${text}\n— log AAAAAAAA\n`;
  const hash = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
  for (
    const text of ["log\n", `log\n01\n${hash}\n`, `log\n-1\n${hash}\n`, `log\n1\nBwcH\n`, `\n1\n${hash}\n`]
  ) {
    assertThrows(() => parseCheckpoint(note(text)), MalformedNoteError, "It is no checkpoint");
  }
});
