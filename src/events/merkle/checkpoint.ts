/**
 * Checkpoints: what the tree of a log was at a size, as C2SP `tlog-checkpoint`, a signed note of three lines.
 *
 *     <origin, the log's id>
 *     <size, decimal>
 *     <root, base64>
 *
 * @see {@link https://c2sp.org/tlog-checkpoint}
 * @module
 */
import { Buffer } from "node:buffer";
import {
  isSignedBy,
  MalformedNoteError,
  type NoteSigner,
  type NoteVerifier,
  parseNote,
  signNote,
} from "./signed_note.ts";
import { HASH_BYTES } from "./tree_hash.ts";

export interface Checkpoint {
  /** The log's id. */
  readonly origin: string;
  /** Number of leaves. */
  readonly size: number;
  readonly root: Uint8Array;
}

const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;
const ROOT = /^[A-Za-z0-9+/]{43}=$/;

export function signCheckpoint(checkpoint: Checkpoint, signer: NoteSigner): string {
  return signNote(textOf(checkpoint), signer);
}

/** @throws {MalformedNoteError} If the note is no checkpoint. Says nothing about its signatures. */
export function parseCheckpoint(note: string): Checkpoint {
  const { text } = parseNote(note);
  const [origin, size, root] = text.split("\n");
  if (!origin || !SIZE.test(size ?? "") || !ROOT.test(root ?? "")) {
    throw new MalformedNoteError(
      "It is no checkpoint: its lines must be the origin, a size and a root in base64",
    );
  }
  const bytes = new Uint8Array(Buffer.from(root!, "base64"));
  if (
    bytes.length !== HASH_BYTES || Buffer.from(bytes).toString("base64") !== root ||
    !Number.isSafeInteger(Number(size))
  ) {
    throw new MalformedNoteError("It is no checkpoint: its size or root is out of range");
  }
  return { origin, size: Number(size), root: bytes };
}

/** Whether the checkpoint's own log signed it with this key. @throws {MalformedNoteError} If it is no checkpoint. */
export function isCheckpointBy(note: string, verifier: NoteVerifier): boolean {
  return parseCheckpoint(note).origin === verifier.name && isSignedBy(parseNote(note), verifier);
}

function textOf({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
}
