/**
 * Signed notes with Ed25519, as C2SP `signed-note` and Go's `golang.org/x/mod/sumdb/note` define them.
 *
 *     text, ending in a line break
 *                                        ← an empty line
 *     — <key name> <base64 of key id and signature>
 *
 * @see {@link https://c2sp.org/signed-note}
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

/** Signature type of Ed25519. */
const ED25519 = 0x01;
const KEY_ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_LINE = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/;

export interface NoteSigner {
  /** No white space, no plus sign. */
  readonly name: string;
  readonly privateKey: KeyObject;
}

export interface NoteVerifier {
  readonly name: string;
  /** The 32 bytes of an Ed25519 public key. */
  readonly publicKey: Uint8Array;
}

export interface NoteSignature {
  readonly name: string;
  /** The first bytes of a hash of name and key: which of a name's keys made the signature. */
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

export interface SignedNote {
  /** What is signed; ends in a line break. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A text is not a signed note, or a key is not a verifier's. */
export class MalformedNoteError extends Error {
  override readonly name = "MalformedNoteError";
}

/** @param text Ends in a line break. */
export function signNote(text: string, { name, privateKey }: NoteSigner): string {
  const publicKey = rawPublicKey(createPublicKey(privateKey));
  const signature = sign(null, Buffer.from(text), privateKey);
  const encoded = Buffer.concat([keyIdOf({ name, publicKey }), signature]).toString("base64");
  return `${text}\n— ${name} ${encoded}\n`;
}

/** @throws {MalformedNoteError} If the text is no signed note. */
export function parseNote(note: string): SignedNote {
  const end = note.lastIndexOf("\n\n");
  if (end === -1 || !note.endsWith("\n")) {
    throw new MalformedNoteError("It is no signed note: it has no signatures after an empty line");
  }
  const lines = note.slice(end + 2, -1).split("\n");
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

/** Notes that stand one after another in a file, each whole. */
export function splitNotes(text: string): string[] {
  return text.match(/[^]+?\n\n(?:— [^\n]*(?:\n|$))+/g)?.map((note) =>
    note.replace(/^\n+|\n*$/g, "") + "\n"
  ) ?? [];
}

/** Whether one of the note's signatures is this key's and right. */
export function isSignedBy({ text, signatures }: SignedNote, verifier: NoteVerifier): boolean {
  const keyId = keyIdOf(verifier);
  const key = publicKeyObject(verifier.publicKey);
  return signatures.some((each) =>
    each.name === verifier.name && keyId.equals(each.keyId) &&
    verify(null, Buffer.from(text), key, each.signature)
  );
}

/** A verifier's key as text: `<name>+<key id in hex>+<base64 of type and key>`. */
export function formatVerifierKey(verifier: NoteVerifier): string {
  const key = Buffer.concat([Uint8Array.of(ED25519), verifier.publicKey]).toString("base64");
  return `${verifier.name}+${keyIdOf(verifier).toString("hex")}+${key}`;
}

/** @throws {MalformedNoteError} If the text is no verifier's key, or its id is not that of the key. */
export function parseVerifierKey(text: string): NoteVerifier {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
  const key = Buffer.from(encoded ?? "", "base64");
  if (name === undefined || key[0] !== ED25519 || key.length !== 1 + PUBLIC_KEY_BYTES) {
    throw new MalformedNoteError("It is no Ed25519 verifier key: it must be '<name>+<key id>+<base64 key>'");
  }
  const verifier = { name, publicKey: new Uint8Array(key.subarray(1)) };
  if (keyIdOf(verifier).toString("hex") !== id) {
    throw new MalformedNoteError(`The key id ${id} is not that of the key for '${name}'`);
  }
  return verifier;
}

/** The 32 bytes of an Ed25519 key. */
export function rawPublicKey(key: KeyObject): Uint8Array {
  return new Uint8Array(Buffer.from(key.export({ format: "jwk" }).x!, "base64url"));
}

function publicKeyObject(raw: Uint8Array): KeyObject {
  const x = Buffer.from(raw).toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

function keyIdOf({ name, publicKey }: NoteVerifier): Buffer {
  const digest = createHash("sha256").update(`${name}\n`).update(Uint8Array.of(ED25519)).update(publicKey);
  return digest.digest().subarray(0, KEY_ID_BYTES);
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = Buffer.from(encoded ?? "", "base64");
  // Base64 can be written in more than one way; taking only one leaves no byte of a note that could change unseen.
  const isOnlyForm = bytes.toString("base64") === encoded;
  if (name === undefined || bytes.length <= KEY_ID_BYTES || !isOnlyForm) {
    throw new MalformedNoteError("It is no signed note: a line after the empty one is no signature");
  }
  const signature = new Uint8Array(bytes.subarray(KEY_ID_BYTES));
  // Others' signatures may be of another type and length; they are nobody's that is asked for here.
  const isEd25519 = signature.length === SIGNATURE_BYTES;
  return {
    name,
    keyId: new Uint8Array(bytes.subarray(0, KEY_ID_BYTES)),
    signature: isEd25519 ? signature : new Uint8Array(SIGNATURE_BYTES),
  };
}
