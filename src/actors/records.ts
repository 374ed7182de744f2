/**
 * Records: events that are no job's, about the system itself and those who use it.
 *
 * @module
 */
import type { EventEnvelope, EventMeta } from "../events/event.ts";
import type { EventLog } from "../events/event_log.ts";
import type { Store } from "../events/store.ts";
import type { JobChange } from "./job/projector.ts";
import { decodeEnd, endKey, RECORD_STREAMS, type RecordType } from "./record_streams.ts";

export interface RecordsOptions {
  readonly log: EventLog<JobChange>;
  readonly store: Store;
}

const SCHEMA_VERSION = 1;

export class Records {
  readonly #log: EventLog<JobChange>;
  readonly #store: Store;
  /** Versions of the streams at hand, staged events included. */
  readonly #versions = new Map<string, number>();

  constructor({ log, store }: RecordsOptions) {
    this.#log = log;
    this.#store = store;
    log.listen({ reset: () => this.#versions.clear() });
  }

  /**
   * Resolves when the event is on disk.
   *
   * @throws {LogUnavailableError | UnknownOutcomeError} If the log could not take the write.
   * @throws {EventTooLargeError} If the data is over 60 KiB.
   */
  async append(type: RecordType, data: Readonly<Record<string, unknown>>, meta: EventMeta): Promise<void> {
    const stream = RECORD_STREAMS[type];
    if (!this.#versions.has(stream)) {
      const { value } = await this.#store.get(endKey(stream));
      // Another append may have come to know it meanwhile, and gone on from there.
      if (!this.#versions.has(stream)) this.#versions.set(stream, value ? decodeEnd(value).version : 0);
    }
    const expectedVersion = this.#versions.get(stream)!;
    const { landed } = this.#log.append({
      stream,
      expectedVersion,
      events: [{ type, schema_version: SCHEMA_VERSION, machine_version: 1, data }],
      meta,
    });
    this.#versions.set(stream, expectedVersion + 1);
    await landed;
  }

  /** The last event of the type's stream that is on disk. */
  async last(type: RecordType): Promise<EventEnvelope | undefined> {
    const { value } = await this.#store.get(endKey(RECORD_STREAMS[type]));
    if (!value) return undefined;
    const [stored] = await this.#log.readAt([decodeEnd(value).position]);
    return stored?.event;
  }
}
