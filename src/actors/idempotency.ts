/**
 * Idempotency keys: how they are hashed, how long they are kept, and what their rows say.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { IdempotencyKeyReusedError, IdempotentJobDeletedError } from "./errors.ts";
import type { IdempotencyRecord } from "./job/events.ts";
import type { Job } from "./job/job.ts";
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

/**
 * The job that a key created, as it is now; `undefined` when the key is new, or no longer kept at `now`.
 *
 * @param value What is stored of the key.
 * @throws {IdempotencyKeyReusedError} If it was created by another body.
 * @throws {IdempotentJobDeletedError} If the job is no longer there.
 */
export async function earlierJob(
  value: Uint8Array | null,
  bodyHash: string,
  now: number,
  jobs: { get(id: string): Promise<Job | undefined> },
): Promise<Job | undefined> {
  const row = value && decodeJson<IdempotencyRow>(value);
  if (!row || row.expires_at <= now) return undefined;
  if (row.body_hash !== bodyHash) throw new IdempotencyKeyReusedError(row.job_id);
  const job = await jobs.get(row.job_id);
  if (!job) throw new IdempotentJobDeletedError(row.job_id);
  return job;
}
