/**
 * Verify: checks everything that can be checked of a log, in one pass over it.
 *
 * What a replay checks (positions, versions, each history, every row and index), and what seals the log: the tree, every
 * checkpoint with its signature, and checkpoints that were kept elsewhere.
 *
 * @module
 */
import type { Head } from "../events/head.ts";
import { CONFIG_CHANGED } from "../actors/record_streams.ts";
import type { EventEnvelope } from "../events/event.ts";
import { type NoteVerifier, parseVerifierKey } from "../events/merkle/signed_note.ts";
import { latestCheckpoint } from "../events/merkle/tree_follower.ts";
import type { Store } from "../events/store.ts";
import { comparedStore } from "./compared_store.ts";
import { Findings, type Violation } from "./findings.ts";
import { readHead } from "./log_reader.ts";
import { type Replay, replay, type ReplayOptions } from "./replay.ts";
import { readSeal, readSealing, type Seal } from "./sealing.ts";
import { TreeCheck } from "./tree_check.ts";
import { type TreeGrower, treeHere, type TreePlan } from "./tree_growth.ts";

export interface VerifyOptions extends Omit<ReplayOptions, "onPages" | "onRecord" | "findings"> {
  /** Those that may have signed the checkpoints. Default: none, and no signature is checked. */
  readonly keys?: readonly NoteVerifier[];
  /** Checkpoints of this log that were kept elsewhere, as they were signed. */
  readonly outside?: readonly string[];
  /** Default: on this thread. */
  readonly grower?: (plan: TreePlan) => TreeGrower;
}

export interface Verification extends Replay {
  /** The violation at the lowest position. */
  readonly first: Violation | null;
  /** Of which number of events a checkpoint, here or kept elsewhere, shows that they are as they were. */
  readonly sealed: number;
  /** Of all events; `null` when they have a gap. */
  readonly root: Uint8Array | null;
  /** The latest stored checkpoint. */
  readonly checkpoint: string | null;
  /** Stored ones. */
  readonly checkpoints: number;
  /** Number of stored and outside checkpoints with the signature of a key that was given; `null` when none was. */
  readonly signed: number | null;
  /** Sizes of the checkpoints kept elsewhere. */
  readonly outside: readonly number[];
}

/** A key or checkpoint that was given is not of this log, or none at all. */
export class OtherLogError extends Error {
  override readonly name = "OtherLogError";
}

/**
 * @param source One state of it; a store that is written to meanwhile shows differences that are none.
 * @throws {OtherLogError} If a key or an outside checkpoint is not this log's.
 * @throws {Error} If the store has no head, or cannot be read.
 */
export async function verify(source: Store, options: VerifyOptions = {}): Promise<Verification> {
  const { keys = [], grower = treeHere } = options;
  const store = comparedStore(source);
  const { head } = await readHead(store);
  const findings = new Findings(options);
  checkKeys(keys, head);
  const outside = outsideSeals(options.outside ?? [], head, keys);
  const sealing = await readSealing(store, head, keys, findings);
  const tree = new TreeCheck({ store, head, sealing, outside, grower, findings });
  try {
    const recorded = new Map<string, NoteVerifier>();
    const replayed = await replay(store, {
      ...options,
      findings,
      onPages: (pages) => tree.add(pages),
      onRecord: (event) => noteKey(event, recorded),
    });
    const sealed = await tree.finish([...recorded.values()]);
    const signed = [...sealing.seals, ...outside].filter(({ isSigned }) => isSigned).length;
    return {
      ...replayed,
      first: findings.first,
      sealed,
      root: tree.rootAt(head.position) ?? null,
      checkpoint: await latestCheckpoint(store, 0) ?? null,
      checkpoints: sealing.seals.length,
      signed: keys.length > 0 ? signed : null,
      outside: outside.map(({ size }) => size),
    };
  } finally {
    tree.close();
  }
}

/** The configuration's event names the key from then on. */
function noteKey({ type, data }: EventEnvelope, keys: Map<string, NoteVerifier>): void {
  const settings = data["settings"];
  if (type !== CONFIG_CHANGED || typeof settings !== "object" || settings === null) return;
  const text = (settings as Record<string, unknown>)["signing_key"];
  if (typeof text !== "string" || keys.has(text)) return;
  try {
    keys.set(text, parseVerifierKey(text));
  } catch {
    // Then it verifies nothing.
  }
}

function checkKeys(keys: readonly NoteVerifier[], { log_id, earlier = [] }: Head): void {
  const names = [log_id, ...earlier.map(({ log_id }) => log_id)];
  const other = keys.find(({ name }) => !names.includes(name));
  if (other) throw new OtherLogError(`The key is of log ${other.name}, this is ${log_id}`);
}

function outsideSeals(notes: readonly string[], head: Head, keys: readonly NoteVerifier[]): Seal[] {
  return notes.map((note) => {
    try {
      return readSeal(note, head, keys);
    } catch (error) {
      throw new OtherLogError(`A checkpoint that was given cannot be used: ${(error as Error).message}`);
    }
  });
}
