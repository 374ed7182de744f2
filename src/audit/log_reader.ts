/**
 * Reads the whole log in order, and checks what can be said of each event without knowing its job: that positions are
 * dense, time never goes back, and every event is this log's.
 *
 * @module
 */
import { decodeEvent, type EventEnvelope, type StoredEvent } from "../events/event.ts";
import { fromPage } from "../events/event_page.ts";
import {
  decodeHead,
  type EarlierLog,
  eventKey,
  EVENTS,
  type Head,
  headKey,
  logIdAt,
} from "../events/head.ts";
import type { Store, StoreEntry } from "../events/store.ts";
import type { Upcasters } from "../events/upcasters.ts";
import { textOf } from "../events/utf8.ts";
import type { Findings } from "./findings.ts";

/** First event of a restored log, which says of which log it is the restored one. */
export const LOG_RESTORED = "log.restored";

const PARTITION = 0;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Told of the pages as they lie in the store, in order, up to the first gap or overlap. */
export type PagesListener = (pages: readonly StoreEntry[]) => Promise<void>;

export class LogReader {
  readonly #store: Store;
  readonly #upcasters: Upcasters;
  readonly #findings: Findings;
  readonly #pagesPerRead: number;
  readonly #onPages: PagesListener;
  /** Whether every page so far began where the one before it ended. */
  #isDense = true;
  #next = 0;
  #time = "";

  /** @param head That of the state that is read. */
  constructor(
    store: Store,
    readonly head: Head,
    upcasters: Upcasters,
    findings: Findings,
    pagesPerRead: number,
    onPages: PagesListener = () => Promise.resolve(),
  ) {
    this.#store = store;
    this.#upcasters = upcasters;
    this.#findings = findings;
    this.#pagesPerRead = pagesPerRead;
    this.#onPages = onPages;
  }

  /** Events read so far, whatever they are. */
  get position(): number {
    return this.#next;
  }

  /** The events that can be read, some pages at a time, oldest first. */
  async *batches(): AsyncGenerator<StoredEvent[]> {
    await this.#checkStrangers();
    const range = { prefix: [EVENTS, PARTITION], start: eventKey(PARTITION, 0) };
    for (;;) {
      const entries = await this.#store.list(range, { limit: this.#pagesPerRead });
      const dense: StoreEntry[] = [];
      const events = entries.flatMap((entry) => {
        const read = this.#read(entry);
        if (this.#isDense) dense.push(entry);
        return read;
      });
      await this.#onPages(dense);
      yield events;
      if (entries.length < this.#pagesPerRead) break;
      range.start = [...entries.at(-1)!.key, ""];
    }
    this.#checkEnd();
  }

  #read(page: StoreEntry): StoredEvent[] {
    const { first, events } = fromPage(page);
    const parsed = parsedEvents(page.value, events);
    if (first !== this.#next) this.#isDense = false;
    if (first > this.#next) {
      this.#findings.unlawful(this.#next, `the events from here to ${first - 1} are missing`);
    } else if (first < this.#next) {
      this.#findings.unlawful(first, `a page begins here, but the one before it ends at ${this.#next - 1}`);
    }
    this.#next = first;
    const stored: StoredEvent[] = [];
    events.forEach((bytes, i) => {
      const event = this.#checked(this.#next++, parsed[i]);
      if (event) stored.push({ event: this.#upcasters.upcast(event), bytes });
    });
    return stored;
  }

  #checked(position: number, event: unknown): EventEnvelope | undefined {
    if (!isEnvelope(event)) {
      this.#findings.unlawful(position, "the stored bytes are not an event");
      return undefined;
    }
    if (event.position !== position) this.#findings.unlawful(position, `its position says ${event.position}`);
    if (event.partition !== PARTITION) {
      this.#findings.unlawful(position, `its partition says ${event.partition}`);
    }
    const logId = logIdAt(this.head, position);
    if (event.log_id !== logId) {
      this.#findings.unlawful(position, `it is of log ${event.log_id}, this is ${logId}`);
    }
    const earlier = this.head.earlier?.find(({ size }) => size === position);
    if (earlier && !isRestored(event, earlier)) {
      this.#findings.unlawful(
        position,
        `it does not say that log ${earlier.log_id} was restored from here on`,
      );
    }
    if (event.time !== this.#time) this.#checkTime(position, event.time);
    // Whatever it says, this is where it can be read again.
    return event.position === position ? event : { ...event, position };
  }

  #checkTime(position: number, time: string): void {
    if (!ISO_TIME.test(time)) this.#findings.unlawful(position, `its time is ${time}`);
    if (time < this.#time) {
      this.#findings.unlawful(position, `its time ${time} is before ${this.#time}, that of the event before`);
    }
    this.#time = time;
  }

  #checkEnd(): void {
    const { position, time } = this.head;
    if (position !== this.#next) {
      this.#findings.unlawful(null, `the head counts ${position} events, the log has ${this.#next}`);
    }
    if (this.#time !== "" && time !== Date.parse(this.#time)) {
      this.#findings.unlawful(null, `the head's time is ${time}, the last event's ${Date.parse(this.#time)}`);
    }
  }

  /** Nothing but this partition's pages and head may be where events and heads are. */
  async #checkStrangers(): Promise<void> {
    const options = { limit: 1 };
    const around = await Promise.all([
      this.#store.list({ prefix: [], start: [EVENTS], end: eventKey(PARTITION, 0) }, options),
      this.#store.list(
        { prefix: [], start: [EVENTS, PARTITION + Number.MIN_VALUE], end: [`${EVENTS}\0`] },
        options,
      ),
      this.#store.list({ prefix: [], start: ["h"], end: headKey(PARTITION) }, options),
      this.#store.list({ prefix: [], start: [...headKey(PARTITION), ""], end: ["h\0"] }, options),
    ]);
    for (const { key } of around.flat()) {
      this.#findings.unlawful(null, `${JSON.stringify(key)} is neither an event of this log nor its head`);
    }
  }
}

/** @throws {Error} If there is none, or it cannot be read. */
export async function readHead(store: Store): Promise<{ head: Head; versionstamp: string }> {
  const { value, versionstamp } = await store.get(headKey(PARTITION));
  if (!value) throw new Error("There is no log: it has no head");
  try {
    const head = decodeHead(value);
    // Whatever it says, what reads it must be able to.
    const isReadable = head.earlier === undefined ||
      Array.isArray(head.earlier) && head.earlier.every((each) => typeof each?.log_id === "string");
    if (!isReadable) throw new TypeError("its earlier logs cannot be read");
    return { head, versionstamp: versionstamp! };
  } catch (error) {
    throw new Error("The log's head is damaged", { cause: error });
  }
}

/** Of each event what it says, `undefined` where it is no JSON in UTF-8. */
function parsedEvents(page: Uint8Array, events: readonly Uint8Array[]): unknown[] {
  try {
    // One decoding for all of them is what makes it fast.
    return textOf(page).split("\n").map((line) => JSON.parse(line));
  } catch {
    return events.map(parsedEvent);
  }
}

function parsedEvent(bytes: Uint8Array): unknown {
  try {
    return decodeEvent(bytes);
  } catch {
    return undefined;
  }
}

function isRestored({ type, data }: EventEnvelope, { log_id, size }: EarlierLog): boolean {
  return type === LOG_RESTORED && data["log_id"] === log_id && data["size"] === size;
}

function isEnvelope(event: unknown): event is EventEnvelope {
  if (typeof event !== "object" || event === null) return false;
  const { stream, type, time, version, data } = event as Record<keyof EventEnvelope, unknown>;
  return typeof stream === "string" && typeof type === "string" && typeof time === "string" &&
    typeof version === "number" && typeof data === "object" && data !== null;
}
