/**
 * Seals logs that no server has written.
 *
 * @module
 */
import { generateKeyPairSync } from "node:crypto";
import { decodeHead, headKey } from "../../../src/events/head.ts";
import { type NoteVerifier, rawPublicKey } from "../../../src/events/merkle/signed_note.ts";
import { latestCheckpoint, TreeFollower } from "../../../src/events/merkle/tree_follower.ts";
import type { Store } from "../../../src/events/store.ts";
import { ManualClock } from "../../support/manual_clock.ts";

export interface Sealed {
  readonly key: NoteVerifier;
  readonly checkpoint: string;
  readonly size: number;
}

/** @param parts At which shares of the log a checkpoint is signed, ascending. */
export async function seal(store: Store, parts: readonly number[] = [0.3, 0.7, 1]): Promise<Sealed> {
  const { value } = await store.get(headKey(0));
  const { log_id, position } = decodeHead(value!);
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  let size = 0;
  const errors: unknown[] = [];
  const follower = new TreeFollower({
    store,
    partition: 0,
    position: () => size,
    signer: { name: log_id, privateKey },
    clock: new ManualClock(),
    onError: (error) => errors.push(error),
  });
  for (const part of parts) {
    size = Math.ceil(position * part);
    await follower.flush();
  }
  await follower.close();
  if (errors.length > 0) throw errors[0];
  return {
    key: { name: log_id, publicKey: rawPublicKey(publicKey) },
    checkpoint: (await latestCheckpoint(store, 0))!,
    size,
  };
}
