/**
 * Whether one commit can hold all of a batch that cannot precede it: asked before anything is staged, because what is staged
 * together is never parted.
 *
 * The answer is no guess. The entries are made as the log and the projector will make them, far out in the log where
 * positions are longest, and counted as Deno KV counts.
 *
 * @module
 */
import { encodeEvent, type EventMeta, MAX_EVENT_BYTES, type StoredEvent } from "../events/event.ts";
import { toPages } from "../events/event_page.ts";
import { MOST_IN_BATCH } from "../events/kv_limits.ts";
import { keyBytes, type StoreEntry } from "../events/store.ts";
import { BatchTooLargeError } from "./errors.ts";
import { type IdempotencyRecord, jobStream, newJobEvent } from "./job/events.ts";
import { POSITIONS_PER_BITMAP, type WaitingPlace } from "./job/bitmaps.ts";
import { evolve } from "./job/evolve.ts";
import { newJobId } from "./job/id.ts";
import { countsKey, leadsBeyond } from "./job/keys.ts";
import { MACHINE_VERSION } from "./job/machine.ts";
import { jobEntries } from "./job/projector.ts";
import { waitingEntries, waitingPlace } from "./job/waiting.ts";
import type { JobSpec } from "./jobs.ts";

/** Counts that grow, starts that join and undo records need some mutations more. */
export const ONE_COMMIT = { ...MOST_IN_BATCH, mutations: 900 };

const FAR_POSITION = 2 ** 44 - 1;
const TIME = Date.parse("2000-01-01T00:00:00.000Z");
/** A row of counts, each with as many digits as there can be jobs. */
const COUNTS_BYTES = 160;

/** A job that a batch creates. */
export interface NewJob {
  readonly spec: JobSpec;
  readonly idempotency: IdempotencyRecord | null;
}

/** @throws {BatchTooLargeError} If one commit cannot hold the creation of all of these jobs, beside what may precede it. */
export function assertBatchFits(jobs: readonly NewJob[], meta: EventMeta, logId: string): void {
  const events = jobs.map((job) => createdEvent(job, meta, logId));
  const states = events.map((event) => evolve(null, event)!);
  const entries: StoreEntry[] = states.flatMap(jobEntries).filter(({ key }) =>
    !leadsBeyond(key, FAR_POSITION)
  );
  const places = states.flatMap((state) => waitingPlace(state) ?? []);
  entries.push(...waitingEntries(farApart(places, bitmapsOf(jobs.length))));
  entries.push(...toPages(events));
  const lanes = new Map(jobs.map(({ spec }) => [`${spec.queue}\0${spec.job_type}`, spec]));
  for (const { queue, job_type } of lanes.values()) {
    entries.push({ key: countsKey(queue, job_type), value: new Uint8Array(COUNTS_BYTES) });
  }

  const ofKeys = entries.reduce((sum, { key }) => sum + keyBytes(key), 0);
  const bytes = entries.reduce((sum, { value }) => sum + value.length, ofKeys);
  exceeds("bytes in one event", Math.max(...events.map(({ bytes }) => bytes.length)), MAX_EVENT_BYTES);
  exceeds("keys", entries.length, ONE_COMMIT.mutations);
  exceeds("bytes of keys", ofKeys, ONE_COMMIT.keyBytes);
  exceeds("bytes", bytes, ONE_COMMIT.bytes);
}

function exceeds(what: string, needed: number, limit: number): void {
  if (needed > limit) throw new BatchTooLargeError(what, needed, limit);
}

/** In how many bitmaps so many events may lie, one after another, at most. */
function bitmapsOf(events: number): number {
  return 1 + Math.ceil((events - 1) / POSITIONS_PER_BITMAP);
}

/** So that the jobs of each queue, priority and type lie in so many bitmaps, if there are as many. */
function farApart(places: readonly WaitingPlace[], bitmaps: number): WaitingPlace[] {
  const seen = new Map<string, number>();
  return places.map((place) => {
    const lane = `${place.rank} ${place.queue}\0${place.jobType}`;
    const before = seen.get(lane) ?? 0;
    seen.set(lane, before + 1);
    return { ...place, position: place.position - POSITIONS_PER_BITMAP * Math.min(before, bitmaps - 1) };
  });
}

function createdEvent({ spec, idempotency }: NewJob, meta: EventMeta, log_id: string): StoredEvent {
  const event = {
    log_id,
    partition: 0,
    position: FAR_POSITION,
    stream: jobStream(newJobId(TIME, FAR_POSITION)),
    version: 1,
    ...newJobEvent("job.created", MACHINE_VERSION, { ...spec, idempotency }),
    time: new Date(TIME).toISOString(),
    actor: meta.actor,
    request_id: meta.request_id,
    causation_id: meta.causation_id,
    reason: meta.reason,
  };
  return { event, bytes: encodeEvent(event) };
}
