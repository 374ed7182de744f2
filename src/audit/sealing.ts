/**
 * The seals of a log as they are stored: the tree's cursor and its checkpoints, each parsed and its signature checked.
 *
 * @module
 */
import { isCheckpointBy, parseCheckpoint } from "../events/merkle/checkpoint.ts";
import type { NoteVerifier } from "../events/merkle/signed_note.ts";
import { cursorKey, decodeCursor, encodeCursor } from "../events/merkle/tree_follower.ts";
import type { StoredCursor, TreeCursor } from "../events/merkle/tree_follower.ts";
import { type Head, logIdAt } from "../events/head.ts";
import type { StoreRange } from "../events/store.ts";
import { type ComparedStore, pagesOf } from "./compared_store.ts";
import type { Findings } from "./findings.ts";
import { sameBytes } from "./same_value.ts";

/** A checkpoint, in the store or kept elsewhere. */
export interface Seal {
  readonly size: number;
  readonly root: Uint8Array;
  /** Of one of the keys that were given; `null` when none was. */
  readonly isSigned: boolean | null;
  /** As it was signed, when it was by none of the keys. */
  readonly unsigned?: string;
}

export interface Sealing {
  /** Number of events that the stored tree has. */
  readonly size: number;
  /** By size, ascending. */
  readonly seals: readonly Seal[];
}

const PARTITION = 0;
const decoder = new TextDecoder();

/** Reads all that seals the log, and says what in it is not as it was written. */
export async function readSealing(
  store: ComparedStore,
  head: Head,
  keys: readonly NoteVerifier[],
  findings: Findings,
): Promise<Sealing> {
  const seals: Seal[] = [];
  let stored = 0;
  for await (const page of pagesOf(store, below("tk"))) {
    for (const { key, value } of page) {
      stored += 1;
      try {
        const seal = readSeal(decoder.decode(value), head, keys);
        const [, partition, size] = key;
        if (key.length !== 3 || partition !== PARTITION || size !== seal.size) {
          throw new Error(`it is one of ${seal.size} events`);
        }
        seals.push(seal);
      } catch (error) {
        findings.unlawful(null, `the checkpoint at ${JSON.stringify(key)}: ${(error as Error).message}`);
      }
    }
  }
  const last = seals.at(-1)?.size ?? 0;
  return { seals, size: await checkCursor(store, { checkpoint: last, checkpoints: stored }, findings) };
}

/** @throws {Error} If it is no checkpoint of this log, or of the part of an earlier one that it was restored from. */
export function readSeal(note: string, head: Head, keys: readonly NoteVerifier[]): Seal {
  const { origin, size, root } = parseCheckpoint(note);
  const logId = logIdAt(head, Math.max(0, size - 1));
  const earlier = head.earlier?.find(({ log_id }) => log_id === origin);
  if (earlier && size > earlier.size) {
    throw new Error(
      `it is of ${size} events of log ${origin}, of which only the first ${earlier.size} were restored into this one`,
    );
  }
  if (origin !== logId) throw new Error(`it is of log ${origin}, this is ${logId}`);
  const isSigned = keys.length === 0 ? null : keys.some((key) => isCheckpointBy(note, key));
  return { size, root, isSigned, ...isSigned === false && { unsigned: note } };
}

/** Number of leaves of the stored tree. */
async function checkCursor(
  store: ComparedStore,
  { checkpoint, checkpoints }: Pick<TreeCursor, "checkpoint" | "checkpoints">,
  findings: Findings,
): Promise<number> {
  const { value } = await store.get(cursorKey(PARTITION));
  const count = await store.count(below("tc"));
  if (count > (value ? 1 : 0)) findings.unlawful(null, "there are entries beside the tree's cursor");
  if (!value) {
    if (checkpoints > 0) findings.unlawful(null, "the tree's cursor is missing");
    return checkpoint;
  }
  const cursor = cursorIn(value);
  if (!cursor) {
    findings.unlawful(null, "the tree's cursor is damaged");
    return checkpoint;
  }
  if (cursor.checkpoint !== checkpoint || (cursor.checkpoints ?? checkpoints) !== checkpoints) {
    findings.unlawful(
      null,
      `the tree's cursor says ${decoder.decode(value)}, but there are ${checkpoints} checkpoints, ` +
        `the last of ${checkpoint} events`,
    );
  }
  return cursor.size;
}

function cursorIn(value: Uint8Array): StoredCursor | undefined {
  try {
    const cursor = decodeCursor(value);
    return sameBytes(value, encodeCursor(cursor)) && Number.isSafeInteger(cursor.size) && cursor.size >= 0
      ? cursor
      : undefined;
  } catch {
    return undefined;
  }
}

function below(name: string): StoreRange {
  return { prefix: [], start: [name], end: [`${name}\0`] };
}
