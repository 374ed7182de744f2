/**
 * The streams that are no jobs: what is on record of the system itself, and where each of them ends.
 *
 * @module
 */
import type { StoredEvent } from "../events/event.ts";
import type { StoreEntry, StoreKey } from "../events/store.ts";
import { decodeJson, encodeJson } from "./job/row.ts";

/** First part of the keys of the streams' ends. */
export const RECORDS = "v";

/** The configuration changed, the signing key with it. */
export const CONFIG_CHANGED = "config.changed";
/** A token is another one than before. */
export const TOKEN_CHANGED = "token.changed";
/** Somebody read the log's proofs or entries over HTTP. */
export const AUDIT_READ = "audit.read";
/** Somebody offered tokens that are not valid. */
export const LOGIN_FAILED = "login.failed";

export type RecordType =
  | typeof CONFIG_CHANGED
  | typeof TOKEN_CHANGED
  | typeof AUDIT_READ
  | typeof LOGIN_FAILED;

/** The stream of each type. */
export const RECORD_STREAMS: Readonly<Record<RecordType, string>> = {
  [CONFIG_CHANGED]: "system/config",
  [TOKEN_CHANGED]: "system/tokens",
  [AUDIT_READ]: "system/reads",
  [LOGIN_FAILED]: "system/logins",
};

/** The last event of a stream. */
export interface StreamEnd {
  readonly version: number;
  readonly position: number;
}

export function endKey(stream: string): StoreKey {
  return [RECORDS, stream];
}

export function endEntry(stream: string, { version, position }: StreamEnd): StoreEntry {
  return { key: endKey(stream), value: encodeJson({ version, position }) };
}

export function decodeEnd(value: Uint8Array): StreamEnd {
  return decodeJson(value);
}

/** The ends that these events make, of their streams that are no jobs. */
export function recordEntries(events: readonly StoredEvent[]): StoreEntry[] {
  const records = events.filter(({ event: { stream } }) => !stream.startsWith("job/"));
  if (records.length === 0) return [];
  const ends = new Map(
    records.map(({ event: { stream, version, position } }) => [stream, { version, position }]),
  );
  return [...ends].map(([stream, end]) => endEntry(stream, end));
}
