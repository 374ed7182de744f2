import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import {
  formatVerifierKey,
  isSignedBy,
  MalformedNoteError,
  parseNote,
  parseVerifierKey,
  rawPublicKey,
  signNote,
} from "../../../src/events/merkle/signed_note.ts";

/** The example of Go's `golang.org/x/mod/sumdb/note`. */
const PETER_WEINBERGER = {
  verifier: "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  note: "If you think cryptography is the answer to your problem,\n" +
    "then you don't know what your problem is.\n\n" +
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
};

function newSigner(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { signer: { name, privateKey }, verifier: { name, publicKey: rawPublicKey(publicKey) } };
}

Deno.test("a note that Go's package signed is verified, and not when a letter of it is changed", () => {
  const verifier = parseVerifierKey(PETER_WEINBERGER.verifier);
  assert(isSignedBy(parseNote(PETER_WEINBERGER.note), verifier));
  assert(!isSignedBy(parseNote(PETER_WEINBERGER.note.replace("answer", "Answer")), verifier));
  assertEquals(formatVerifierKey(verifier), PETER_WEINBERGER.verifier);
});

Deno.test("a note is verified by the key that signed it, and by no other of the same name", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (line) => {
      const [ours, other] = [newSigner("log"), newSigner("log")];
      const text = `${line.replaceAll("\n", " ")}\n`;
      const note = parseNote(signNote(text, ours.signer));
      assertEquals(note.text, text);
      assert(isSignedBy(note, parseVerifierKey(formatVerifierKey(ours.verifier))));
      assert(!isSignedBy(note, other.verifier));
      assert(!isSignedBy(note, { ...ours.verifier, name: "another" }));
    }),
    { numRuns: 30 },
  );
});

Deno.test("a note may bear more signatures, of whatever type, beside the one that is asked for", () => {
  const { signer, verifier } = newSigner("log");
  const note = `${signNote("text\n", signer)}— witness.example/w1 AAAAAAAA\n`;
  assert(isSignedBy(parseNote(note), verifier));
});

Deno.test("what is no signed note or verifier key is refused in plain words, whatever it is", () => {
  for (const text of ["", "text\n", "text\n\nno signature\n", "text\n\n— name AAAA\n", "text\n\n— name\n"]) {
    assertThrows(() => parseNote(text), MalformedNoteError, "It is no signed note");
  }
  for (
    const key of [
      "",
      "name",
      "name+00000000+AAAA",
      "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ]
  ) {
    assertThrows(() => parseVerifierKey(key), MalformedNoteError, "It is no Ed25519 verifier key");
  }
  const wrongId = PETER_WEINBERGER.verifier.replace("c74f20a3", "c74f20a4");
  assertThrows(() => parseVerifierKey(wrongId), MalformedNoteError, "is not that of the key");
  fc.assert(fc.property(fc.string(), (text) => {
    try {
      parseNote(text);
    } catch (error) {
      assert(error instanceof MalformedNoteError);
    }
  }));
});

Deno.test("the same key signs the same text alike, as Ed25519 does (RFC 8032)", () => {
  const { signer } = newSigner("log");
  const again = createPrivateKey(signer.privateKey.export({ format: "pem", type: "pkcs8" }));
  assertEquals(signNote("text\n", signer), signNote("text\n", { ...signer, privateKey: again }));
});
