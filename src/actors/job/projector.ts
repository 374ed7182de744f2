/**
 * The projector: from the jobs that a batch changed to the rows and indexes committed along with it.
 *
 * A job that changes several times in a batch is written once, and an index that it passes through is never written.
 *
 * @module
 */
import type { Mutations, Projector } from "../../events/append.ts";
import type { StoredEvent } from "../../events/event.ts";
import type { StoreEntry } from "../../events/store.ts";
import { utf8 } from "../../events/utf8.ts";
import type { JobCounts } from "./counts.ts";
import { POSITIONS_PER_CHUNK } from "./evolve.ts";
import {
  chunkKey,
  dueKey,
  idempotencyExpiryKey,
  idempotencyKey,
  leadsBeyond,
  listKey,
  rowKey,
  tagKey,
  tombstoneKey,
} from "./keys.ts";
import { recordEntries } from "../record_streams.ts";
import { encodeJson, encodeRow } from "./row.ts";
import type { RunningJobs } from "./running.ts";
import { isQueued, type JobState, statusOf } from "./state.ts";
import { isListed, rowPlaceOf, waitsSinceCreation } from "./stored.ts";
import type { WaitingJobs } from "./waiting.ts";

/** What one append did to one job. */
export interface JobChange {
  readonly before: JobState | null;
  readonly after: JobState;
}

/** What an idempotency key points to. */
export interface IdempotencyRow {
  readonly job_id: string;
  readonly body_hash: string;
  /** Milliseconds since the epoch. */
  readonly expires_at: number;
}

const NOTHING = new Uint8Array();

export class JobProjector implements Projector<JobChange> {
  /** Entries of the tags' index: a list passes over ids that lead to no job. */
  readonly mayPrecede = leadsBeyond;
  readonly #counts: JobCounts;
  readonly #running: RunningJobs;
  readonly #waiting: WaitingJobs;

  constructor(counts: JobCounts, running: RunningJobs, waiting: WaitingJobs) {
    this.#counts = counts;
    this.#running = running;
    this.#waiting = waiting;
  }

  project(changes: readonly JobChange[], events: readonly StoredEvent[]): Mutations | Promise<void> {
    const mutations: Mutations = { puts: recordEntries(events), deletes: [] };
    const jobs = new Map<string, { before: JobState | null; after: JobState }>();
    for (const { before, after } of changes) {
      // A job has no change before its creation, so none is looked up: V8 must first hash an id that is new to it.
      const known = before && jobs.get(after.id);
      if (known) known.after = after;
      else jobs.set(after.id, { before, after });
      mutations.puts.push(...spilledPositions(before, after));
    }
    const waiting = this.#waiting.project(jobs.values());
    if (waiting instanceof Promise) return waiting;
    for (const { before, after } of jobs.values()) {
      moveRow(mutations, before, after);
      writeIndexes(mutations, before, after);
    }
    const counts = this.#counts.project(changes);
    mutations.puts.push(
      ...counts.puts,
      ...this.#running.project(jobs.values()),
      ...waiting.puts,
    );
    mutations.deletes.push(...counts.deletes, ...waiting.deletes);
    return mutations;
  }

  landed(): void {
    this.#counts.landed();
    this.#running.landed();
    this.#waiting.landed();
  }
}

/**
 * The entries that a job in this state has for itself: its row, in the lists, in the order of choice, by its keys. What it
 * shares with others is in `counts.ts`, `running.ts` and `waiting.ts`.
 */
export function jobEntries(state: JobState): StoreEntry[] {
  const mutations: Mutations = { puts: [], deletes: [] };
  moveRow(mutations, null, state);
  writeIndexes(mutations, null, state);
  return mutations.puts;
}

/** A row that is in the lists is written by `moveListed`. */
function moveRow({ puts, deletes }: Mutations, before: JobState | null, after: JobState): void {
  const place = rowPlaceOf(after);
  if (place === "tombstone") puts.push({ key: tombstoneKey(after.id), value: encodeRow(after) });
  if (place === "own") puts.push({ key: rowKey(after.id), value: encodeRow(after) });
  else if (before && rowPlaceOf(before) === "own") deletes.push(rowKey(after.id));
}

function writeIndexes(mutations: Mutations, before: JobState | null, after: JobState): void {
  const { puts, deletes } = mutations;
  const old = before && before.phase !== "deleted" ? before : null;
  const now = after.phase !== "deleted" ? after : null;

  const same = old !== null && now !== null;
  moveListed(mutations, before, after);
  if (!(same && old.tags === now.tags)) {
    // No key may be both put and deleted in one commit.
    const [had, has] = [old?.tags ?? [], now?.tags ?? []];
    for (const tag of had) if (!has.includes(tag)) deletes.push(tagKey(tag, after.id));
    for (const tag of has) if (!had.includes(tag)) puts.push({ key: tagKey(tag, after.id), value: NOTHING });
  }
  moveDue(mutations, old, now);
  if (before === null && after.idempotency) puts.push(...idempotencyEntries(after));
}

/** Jobs that are being processed are in the lists by `running.ts`, those that wait since their creation by `waiting.ts`. */
function moveListed({ puts, deletes }: Mutations, before: JobState | null, after: JobState): void {
  const from = before && isListed(before) ? before : null;
  const to = isListed(after) ? after : null;
  const stays = from && to && statusOf(from.phase) === statusOf(to.phase) && from.queue === to.queue;
  if (from && !stays) deletes.push(listKey(from));
  if (!to) return;
  const hasRow = rowPlaceOf(to) === "lists";
  const hadRow = from !== null && rowPlaceOf(from) === "lists";
  if (!stays || hasRow || hadRow) puts.push({ key: listKey(to), value: hasRow ? encodeRow(to) : NOTHING });
}

/** The value tells the job type, so that jobs without a handler can be passed over without reading their rows. */
function moveDue({ puts, deletes }: Mutations, before: JobState | null, after: JobState | null): void {
  const from = before && isDue(before) ? before : null;
  const to = after && isDue(after) ? after : null;
  if (
    from && to && from.readyAt === to.readyAt && from.priority === to.priority && from.queue === to.queue
  ) return;
  if (from) deletes.push(dueKey(from));
  if (to) puts.push({ key: dueKey(to), value: nameBytes(to.jobType) });
}

/** Of each type that was met. */
const names = new Map<string, Uint8Array>();

function nameBytes(jobType: string): Uint8Array {
  let bytes = names.get(jobType);
  if (!bytes) names.set(jobType, bytes = utf8(jobType));
  return bytes;
}

function isDue(state: JobState): boolean {
  return isQueued(state.phase) && !waitsSinceCreation(state);
}

function idempotencyEntries({ id, idempotency }: JobState): StoreEntry[] {
  const { key_hash, body_hash, expires_at } = idempotency!;
  const expiresAt = Date.parse(expires_at);
  const row: IdempotencyRow = { job_id: id, body_hash, expires_at: expiresAt };
  return [
    { key: idempotencyKey(key_hash), value: encodeJson(row) },
    { key: idempotencyExpiryKey(expiresAt, key_hash), value: NOTHING },
  ];
}

/** When the row's list of positions was cut, the older half goes into a chunk of its own. */
function spilledPositions(before: JobState | null, after: JobState): StoreEntry[] {
  if (!before) return [];
  const spilled = after.version - after.positions.length;
  if (spilled === before.version - before.positions.length) return [];
  const chunk = spilled / POSITIONS_PER_CHUNK - 1;
  const positions = before.positions.slice(0, POSITIONS_PER_CHUNK);
  return [{ key: chunkKey(after.id, chunk), value: encodeJson(positions) }];
}
