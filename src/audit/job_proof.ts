/**
 * A proof of one job's history that needs no database: its events as they are stored, for each the hashes that lead from
 * it to the root of the tree (RFC 9162, section 2.1.3), and the checkpoint in which the log signed that root.
 *
 * What it proves: these events are in the log that the key's holder signed, at these positions, and nothing is missing
 * between the first and the last of them, since their versions follow one another. That none came later it cannot prove.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { z } from "zod";
import { jobStream } from "../actors/job/events.ts";
import { type JobPhase, nextPhase } from "../actors/job/transition_table.ts";
import { decodeEvent, type EventEnvelope } from "../events/event.ts";
import { type Checkpoint, isCheckpointBy, parseCheckpoint } from "../events/merkle/checkpoint.ts";
import { inclusionProof, verifyInclusion } from "../events/merkle/proofs.ts";
import type { NoteVerifier } from "../events/merkle/signed_note.ts";
import { storedHashes } from "../events/merkle/stored_tree.ts";
import { HASH_BYTES, leafHash } from "../events/merkle/tree_hash.ts";
import { latestCheckpoint } from "../events/merkle/tree_follower.ts";
import type { Store } from "../events/store.ts";
import { readHistory } from "./job_history.ts";

/** In its one form: base64 leaves bits over that say nothing. */
const hash = z.string().refine((text) => {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === HASH_BYTES && bytes.toString("base64") === text;
}, "must be 32 bytes in base64");

/** The file, as JSON. */
const proofSchema = z.strictObject({
  format: z.literal("daybook-job-proof/1"),
  log_id: z.string(),
  job_id: z.string(),
  /** A signed note, see `checkpoint.ts`. */
  checkpoint: z.string(),
  events: z.array(z.strictObject({
    position: z.int().min(0),
    /** The stored bytes, which are JSON in UTF-8. */
    event: z.string(),
    /** The hashes beside the path to the root, the lowest first. */
    inclusion: z.array(hash),
  })).min(1),
});

export type JobProof = z.infer<typeof proofSchema>;

export interface ProvedJob {
  readonly proof: JobProof;
  /** Events of the job that no checkpoint has yet. */
  readonly unsealed: number;
}

/** What a proof says; it holds when nothing is wrong. */
export interface ProofVerdict {
  readonly logId: string;
  readonly jobId: string;
  readonly checkpoint: Checkpoint;
  readonly events: readonly EventEnvelope[];
  readonly wrong: readonly string[];
}

/** There is nothing to prove with, or what was given is no proof. */
export class ProofError extends Error {
  override readonly name = "ProofError";
}

const PARTITION = 0;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Proves the job's events with the latest checkpoint.
 *
 * @throws {UnknownJobError} If there is no such job.
 * @throws {ProofError} If no checkpoint has any of its events, or the log's tree is not that of the checkpoint.
 */
export async function proveJob(
  store: Store,
  jobId: string,
  onProgress?: (events: number, total: number) => void,
): Promise<ProvedJob> {
  const { history } = await readHistory(store, jobId, onProgress);
  const checkpoint = await latestCheckpoint(store, PARTITION);
  const size = checkpoint === undefined ? 0 : parseCheckpoint(checkpoint).size;
  const sealed = history.filter(({ event }) => event.position < size);
  if (checkpoint === undefined || sealed.length === 0) {
    throw new ProofError(
      `The events of job ${jobId} are not sealed yet: a checkpoint is signed every minute while the server runs`,
    );
  }
  const hashOf = storedHashes(store, PARTITION);
  const proof: JobProof = {
    format: "daybook-job-proof/1",
    // After a restore it is still that of the log before, until the new one has signed its first.
    log_id: parseCheckpoint(checkpoint).origin,
    job_id: jobId,
    checkpoint,
    events: await Promise.all(sealed.map(async ({ event: { position }, bytes }) => ({
      position,
      event: decoder.decode(bytes),
      inclusion: (await inclusionProof(hashOf, position, size)).map((each) =>
        Buffer.from(each).toString("base64")
      ),
    }))),
  };
  const [wrong] = checkProof(proof, []).wrong;
  if (wrong !== undefined) {
    throw new ProofError(`This log cannot prove it: ${wrong}; deno task audit verify tells more`);
  }
  return { proof, unsealed: history.length - sealed.length };
}

/** @throws {ProofError} If it is none. */
export function parseProof(text: string): JobProof {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ProofError(`It is no proof: ${(error as Error).message}`);
  }
  const { data, error } = proofSchema.safeParse(json);
  if (data) return data;
  const [issue] = error.issues;
  throw new ProofError(`It is no proof: ${issue!.path.join(".") || "it"}: ${issue!.message}`);
}

/**
 * Checks the proof with nothing but itself and the keys.
 *
 * @param keys Who may have signed the checkpoint; with none, the signature is not checked.
 * @throws {ProofError} If its checkpoint is none.
 */
export function checkProof(proof: JobProof, keys: readonly NoteVerifier[]): ProofVerdict {
  const { log_id: logId, job_id: jobId } = proof;
  const checkpoint = checkpointOf(proof);
  const wrong: string[] = [];
  if (checkpoint.origin !== logId) {
    wrong.push(`the checkpoint is of log ${checkpoint.origin}, not of ${logId}`);
  }
  if (keys.length > 0 && !keys.some((key) => isCheckpointBy(proof.checkpoint, key))) {
    wrong.push("the checkpoint is not signed by the key");
  }
  const events: EventEnvelope[] = [];
  let phase: JobPhase = "absent";
  for (const { position, event: text, inclusion } of proof.events) {
    const bytes = encoder.encode(text);
    const hashes = inclusion.map((each) => new Uint8Array(Buffer.from(each, "base64")));
    if (!verifyInclusion(leafHash(bytes), position, checkpoint.size, hashes, checkpoint.root)) {
      wrong.push(`the event at position ${position} is not in the log that the checkpoint sealed`);
    }
    const event = eventOf(bytes);
    if (!event) {
      wrong.push(`the event at position ${position} cannot be read`);
      continue;
    }
    const version = events.length + 1;
    if (event.position !== position || event.version !== version) {
      wrong.push(
        `the event at position ${position} says that it is version ${event.version} at position ${event.position}, ` +
          `should be version ${version}`,
      );
    }
    if (event.stream !== jobStream(jobId)) {
      wrong.push(`the event at position ${position} is of ${event.stream}`);
    }
    const next = nextPhase(event.machine_version, phase, event);
    if (next === undefined) {
      wrong.push(`position ${position}: no ${event.type} can happen while the job is ${phase}`);
    }
    phase = next ?? phase;
    events.push(event);
  }
  return { logId, jobId, checkpoint, events, wrong };
}

function checkpointOf(proof: JobProof): Checkpoint {
  try {
    return parseCheckpoint(proof.checkpoint);
  } catch (error) {
    throw new ProofError(`It is no proof: checkpoint: ${(error as Error).message}`);
  }
}

function eventOf(bytes: Uint8Array): EventEnvelope | undefined {
  try {
    const event = decodeEvent(bytes);
    return typeof event === "object" && event !== null && typeof event.data === "object" ? event : undefined;
  } catch {
    return undefined;
  }
}
