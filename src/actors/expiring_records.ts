/**
 * Records that age: what `cleanup` may remove, and how.
 *
 * @module
 */
import type { EventMeta } from "../events/event.ts";
import type { Store } from "../events/store.ts";
import type { ExpiringRecords } from "../handlers/handler.ts";
import { JobNotFoundError, TransitionRefusedError } from "./errors.ts";
import { idempotencyExpiryKey, idempotencyKey } from "./job/keys.ts";
import type { IdempotencyRow } from "./job/projector.ts";
import { decodeJson } from "./job/row.ts";
import type { JobCommands, JobQueries, Jobs } from "./jobs.ts";

const PAGE = 200;

export function expiringRecords(
  store: Store,
  { commands, queries }: Pick<Jobs, "commands" | "queries">,
  meta: EventMeta,
): ExpiringRecords {
  return {
    deleteCancelledJobs: (before, signal) =>
      deleteCancelledJobs(queries, commands, meta, before.getTime(), signal),
    deleteExpired: (now, signal) => deleteExpiredKeys(store, now.getTime(), signal),
  };
}

/** Ids tell when a job was created, so those cancelled before `before` are among the oldest. */
async function deleteCancelledJobs(
  queries: JobQueries,
  commands: JobCommands,
  meta: EventMeta,
  before: number,
  signal: AbortSignal,
): Promise<number> {
  const filter = { status: "cancelled", createdBefore: before } as const;
  let deleted = 0;
  let after: string | undefined;
  for (;;) {
    signal.throwIfAborted();
    const { jobs, next } = await queries.list(filter, { limit: PAGE, ...(after !== undefined && { after }) });
    const old = jobs.filter(({ completed_at }) => Date.parse(completed_at!) < before);
    const gone = await Promise.all(old.map(({ id }) => deleteIfStillThere(commands, id, meta)));
    deleted += gone.filter(Boolean).length;
    if (next === undefined) return deleted;
    after = next;
  }
}

async function deleteIfStillThere(commands: JobCommands, id: string, meta: EventMeta): Promise<boolean> {
  try {
    await commands.delete(id, meta);
    return true;
  } catch (error) {
    // Somebody retried or deleted it meanwhile.
    if (error instanceof TransitionRefusedError || error instanceof JobNotFoundError) return false;
    throw error;
  }
}

/** Idempotency keys are no part of a job's state, so their end is no event. */
async function deleteExpiredKeys(store: Store, now: number, signal: AbortSignal): Promise<number> {
  let deleted = 0;
  for (;;) {
    signal.throwIfAborted();
    const page = await store.list({ prefix: ["x"], end: ["x", now] }, { limit: PAGE });
    if (page.length === 0) return deleted;
    for (const { key: [, expiresAt, keyHash] } of page) {
      await deleteKey(store, expiresAt as number, keyHash as string);
      deleted += 1;
    }
  }
}

/** The key may have been used anew since it expired; then only its old expiry goes. */
async function deleteKey(store: Store, expiresAt: number, keyHash: string): Promise<void> {
  const key = idempotencyKey(keyHash);
  const expiry = idempotencyExpiryKey(expiresAt, keyHash);
  for (;;) {
    const { value, versionstamp } = await store.get(key);
    const row = value && decodeJson<IdempotencyRow>(value);
    const deletes = row && row.expires_at <= expiresAt ? [key, expiry] : [expiry];
    const landed = await store.commit({ check: { key, versionstamp }, puts: [], deletes });
    if (landed !== null) return;
  }
}
