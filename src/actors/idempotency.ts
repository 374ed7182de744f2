/**
 * Idempotency keys: how they are hashed, how long they are kept, and what their rows say.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { IdempotencyRecord } from "./job/events.ts";
import type { IdempotencyRow } from "./job/projector.ts";
import { decodeJson } from "./job/row.ts";

const KEPT_MS = 24 * 60 * 60 * 1000;

/** @param parts The key, parted so that no two lists of parts run together: no part has a NUL. */
export function hashOfKey(actor: string, ...parts: readonly (string | number)[]): string {
  return createHash("sha256").update([actor, ...parts].join("\0")).digest("hex");
}

/** What a job that is created at `now` is told of its key. */
export function newRecord(keyHash: string, bodyHash: string, now: number): IdempotencyRecord {
  return { key_hash: keyHash, body_hash: bodyHash, expires_at: new Date(now + KEPT_MS).toISOString() };
}

/** The row of a key that is still kept at `now`. */
export function keptRow(value: Uint8Array | null, now: number): IdempotencyRow | undefined {
  const row = value && decodeJson<IdempotencyRow>(value);
  return row && row.expires_at > now ? row : undefined;
}
