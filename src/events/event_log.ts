/**
 * The log: events in dense positions, appended in group commits, the only truth.
 *
 * Decisions are made on the committed state plus what is staged; reads, listeners and answers see what is on disk
 * only. Nothing is acknowledged before its commit.
 *
 * @module
 */
import type {
  AppendRequest,
  ChangingAppend,
  LogHealth,
  LogListener,
  Projector,
  StagedAppend,
} from "./append.ts";
import { MAX_APPEND_BYTES, MAX_APPEND_EVENTS } from "./batch.ts";
import { type Clock, systemClock } from "./clock.ts";
import { Committer } from "./committer.ts";
import { EventTooLargeError, ExpectedVersionConflictError, LogUnavailableError } from "./errors.ts";
import {
  decodeEvent,
  encodeEvent,
  type EventMeta,
  MAX_EVENT_BYTES,
  type NewEvent,
  type StoredEvent,
} from "./event.ts";
import { readEvents, readEventsAt } from "./event_page.ts";
import { GroupCommit } from "./group_commit.ts";
import { toIsoTime } from "./iso_time.ts";
import { PendingAppend } from "./pending_append.ts";
import { RecentPages } from "./recent_pages.ts";
import type { Store } from "./store.ts";
import { TransientMap } from "./transient_map.ts";
import { Upcasters } from "./upcasters.ts";

export interface EventLogOptions<Change> {
  readonly store: Store;
  readonly projector: Projector<Change>;
  /** Unique ids for the log and its commits. */
  readonly newId: () => string;
  /** Default: the system's. */
  readonly clock?: Clock;
  readonly upcasters?: Upcasters;
  /** How long one request to the store may take, in milliseconds. Default 5000. */
  readonly deadlineMs?: number;
  /** How long callers wait for a doubtful commit to be settled, in milliseconds. Default 2000. */
  readonly unknownAfterMs?: number;
}

const PARTITION = 0;
const DEADLINE_MS = 5_000;

export class EventLog<Change> {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #upcasters: Upcasters;
  readonly #committer: Committer;
  readonly #commits: GroupCommit<Change>;
  readonly #recent = new RecentPages();
  readonly #listeners = new Set<LogListener<Change>>();
  /** Versions of the streams that have something staged. */
  readonly #staged = new TransientMap<string, number>();
  #nextPosition: number;
  #group: object | undefined;
  /** Of the last event, staged ones included; milliseconds since the epoch. */
  #time: number;

  private constructor(options: EventLogOptions<Change>, committer: Committer) {
    this.#store = options.store;
    this.#clock = options.clock ?? systemClock;
    this.#upcasters = options.upcasters ?? new Upcasters();
    this.#committer = committer;
    this.#commits = new GroupCommit(committer, {
      projector: options.projector,
      clock: this.#clock,
      deadlineMs: options.deadlineMs ?? DEADLINE_MS,
      unknownAfterMs: options.unknownAfterMs ?? 2_000,
      onLanded: (appends) => this.#landed(appends),
      onReset: () => this.#reset(),
      onHealth: (health) => this.#tell((listener) => listener.health?.(health)),
    });
    this.#nextPosition = committer.head.position;
    this.#time = committer.head.time;
  }

  /**
   * Takes the log over, or makes a new one when the store has none.
   *
   * @throws {DeadlineError} If the store does not answer in time. Opening can be repeated.
   * @throws {StoreUnreadableError} If the store is away. Opening can be repeated.
   */
  static async open<Change>(options: EventLogOptions<Change>): Promise<EventLog<Change>> {
    const { store, projector, newId, clock = systemClock, deadlineMs = DEADLINE_MS } = options;
    const committer = await Committer.open({ store, partition: PARTITION, clock, newId, deadlineMs });
    for await (const deletes of committer.undoSteps(projector)) await committer.remove(deletes);
    return new EventLog(options, committer);
  }

  get logId(): string {
    return this.#committer.head.log_id;
  }

  /** Of the logs that this one was restored from, the oldest first, and its own. */
  get logIds(): readonly string[] {
    const { log_id, earlier = [] } = this.#committer.head;
    return [...earlier.map(({ log_id }) => log_id), log_id];
  }

  /** Number of events on disk, which is the position of the next. */
  get position(): number {
    return this.#committer.head.position;
  }

  /** Position that the next event to be staged will have. */
  get nextPosition(): number {
    return this.#nextPosition;
  }

  /** Time of the last event, staged ones included, in milliseconds since the epoch; 0 in an empty log. */
  get time(): number {
    return this.#time;
  }

  /** As {@linkcode time}, after taking note of the present: no event from now on is of an earlier time. */
  tick(): number {
    return this.#time = Math.max(this.#clock.now(), this.#time);
  }

  get health(): LogHealth {
    const refusal = this.#commits.refusal;
    if (!refusal) return { ok: true };
    return { ok: false, why: refusal instanceof LogUnavailableError ? refusal.why : refusal.message };
  }

  /** Answers a function that ends the listening. */
  listen(listener: LogListener<Change>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Stages events for the next commit. Synchronous, so that nothing comes between a decision and its place in the log.
   *
   * @throws {EventTooLargeError} If an event is over 60 KiB.
   * @throws {RangeError} If there are no events, or more than one commit can hold.
   * @throws {ExpectedVersionConflictError} If something else was staged on the stream.
   * @throws {LogUnavailableError} If the log takes no writes now.
   * @throws {LogFencedError} If another process has taken the log over.
   */
  append(request: AppendRequest<Change>): StagedAppend<Change> {
    const { stream, expectedVersion, meta } = request;
    const refusal = this.#commits.refusal;
    if (refusal) throw refusal;
    const version = this.#staged.get(stream);
    if (version !== undefined && version !== expectedVersion) {
      throw new ExpectedVersionConflictError(stream, expectedVersion, version);
    }
    this.tick();
    const events = request.events.map((event, i) => this.#encode(event, stream, expectedVersion, i, meta));
    checkSize(stream, events);
    const change = request.change?.(events);

    this.#nextPosition += events.length;
    this.#staged.set(stream, expectedVersion + events.length);
    const append = new PendingAppend(stream, events, change, this.#group);
    this.#commits.submit(append);
    return append;
  }

  /**
   * Whatever `stage` appends shares one commit, so that all of it lands or none. What it appends together must fit into
   * one: 480 KiB of events, some 900 keys beside those that may precede it (`Projector.mayPrecede`).
   */
  together<T>(stage: () => T): T {
    this.#group = {};
    try {
      return stage();
    } finally {
      this.#group = undefined;
    }
  }

  /** Committed events from position `from` on, at most `limit`, oldest first. */
  async read(from: number, limit: number): Promise<StoredEvent[]> {
    const end = Math.min(this.position, from + limit);
    const events = await readEvents(this.#store, PARTITION, from, end);
    return events.map((bytes) => this.#decode(bytes));
  }

  /** The committed events at these positions, in their order; `undefined` where there is none. */
  async find(positions: readonly number[]): Promise<(StoredEvent | undefined)[]> {
    const end = this.position;
    const committed = positions.filter((position) => position < end);
    const events = await readEventsAt(this.#store, PARTITION, committed, this.#recent);
    const found = events.values();
    return positions.map((position) => {
      const bytes = position < end ? found.next().value : undefined;
      return bytes && this.#decode(bytes);
    });
  }

  /** The committed events at these positions, in their order. */
  async readAt(positions: readonly number[]): Promise<StoredEvent[]> {
    const events = await this.find(positions);
    return events.map((event, i) => {
      if (!event) throw new Error(`The log has no event at position ${positions[i]}`);
      return event;
    });
  }

  /** Resolves as soon as the log takes writes; at once when it does. */
  whenHealthy(): Promise<void> {
    if (this.health.ok) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.listen({
        health: ({ ok }) => {
          if (!ok) return;
          stop();
          resolve();
        },
      });
    });
  }

  /** Resolves when everything staged so far has met its fate. */
  drain(): Promise<void> {
    return this.#commits.drain();
  }

  /** Takes no further appends, waits for those that are staged, and closes the store. */
  async close(): Promise<void> {
    await this.#commits.close();
    this.#store.close();
  }

  #encode(
    { type, schema_version, machine_version, data }: NewEvent,
    stream: string,
    expectedVersion: number,
    index: number,
    meta: EventMeta,
  ): StoredEvent {
    const event = {
      log_id: this.logId,
      partition: PARTITION,
      position: this.#nextPosition + index,
      stream,
      version: expectedVersion + index + 1,
      type,
      schema_version,
      machine_version,
      time: toIsoTime(this.#time),
      actor: meta.actor,
      request_id: meta.request_id,
      causation_id: meta.causation_id,
      reason: meta.reason,
      data,
    };
    const bytes = encodeEvent(event);
    if (bytes.length > MAX_EVENT_BYTES) {
      throw new EventTooLargeError(stream, type, bytes.length, MAX_EVENT_BYTES);
    }
    return { event, bytes };
  }

  #decode(bytes: Uint8Array): StoredEvent {
    return { event: this.#upcasters.upcast(decodeEvent(bytes)), bytes };
  }

  #landed(appends: readonly StagedAppend<Change>[]): void {
    for (const { stream, events } of appends) {
      if (this.#staged.get(stream) === events.at(-1)!.event.version) this.#staged.delete(stream);
    }
    const changing = appends.filter((append): append is ChangingAppend<Change> =>
      append.change !== undefined
    );
    this.#tell((listener) => listener.landed?.(changing));
  }

  #reset(): void {
    this.#staged.clear();
    this.#nextPosition = this.#committer.head.position;
    this.#time = this.#committer.head.time;
    this.#tell((listener) => listener.reset?.());
  }

  #tell(say: (listener: LogListener<Change>) => void): void {
    for (const listener of [...this.#listeners]) {
      try {
        say(listener);
      } catch (error) {
        // Not the log's to handle, and no reason to keep the truth from the others and from the callers.
        reportError(error);
      }
    }
  }
}

/** An append that no commit can hold would take its neighbours down with it. */
function checkSize(stream: string, events: readonly StoredEvent[]): void {
  if (events.length === 0) throw new RangeError(`Cannot append no events to stream "${stream}"`);
  let bytes = 0;
  for (const event of events) bytes += event.bytes.length;
  if (events.length > MAX_APPEND_EVENTS || bytes > MAX_APPEND_BYTES) {
    throw new RangeError(
      `Cannot append ${events.length} events to stream "${stream}" at once: they have ${bytes} bytes, ` +
        `at most ${MAX_APPEND_EVENTS} events and ${MAX_APPEND_BYTES} bytes are allowed`,
    );
  }
}
