/**
 * Pages: how events lie in the store.
 *
 * Deno KV pays for each key, so the events of a commit share values: `["0e", partition, first]` holds the stored bytes of
 * the events from position `first` on, one a line, as many as fit. JSON has no line break outside of its strings' `\n`
 * escapes, so the line break parts them and each line is, byte for byte, what is hashed, exported and shown.
 *
 * @module
 */
import { MAX_EVENT_BYTES, type StoredEvent } from "./event.ts";
import { eventKey, EVENTS } from "./head.ts";
import { takeBytes } from "./shared_bytes.ts";
import type { Store, StoreEntry, StoreKey } from "./store.ts";

/** An event of the largest size fills a page of its own. */
const MAX_PAGE_BYTES = MAX_EVENT_BYTES;
const LINE_BREAK = 0x0a;

export interface EventPage {
  /** Position of the first event. */
  readonly first: number;
  /** Stored bytes of the events, in order. */
  readonly events: readonly Uint8Array[];
}

/** Keeps pages of committed events, which never change. */
export interface PageCache {
  /** The stored bytes of the event, if its page is here. */
  at(position: number): Uint8Array | undefined;
  add(page: EventPage): void;
}

interface GrowingPage {
  readonly key: StoreKey;
  readonly lines: Uint8Array[];
  /** Of the lines, with a line break behind each. */
  size: number;
}

/** The entries that hold these events, which follow one another. */
export function toPages(events: readonly StoredEvent[]): StoreEntry[] {
  const pages: GrowingPage[] = [];
  let last: GrowingPage | undefined;
  for (const { event: { partition, position }, bytes } of events) {
    if (!last || last.size + bytes.length > MAX_PAGE_BYTES) {
      pages.push(last = { key: eventKey(partition, position), lines: [], size: 0 });
    }
    last.lines.push(bytes);
    last.size += bytes.length + 1;
  }
  return pages.map(({ key, lines, size }) => ({
    key,
    value: lines.length === 1 ? lines[0]! : writeLines(lines, takeBytes(size - 1)),
  }));
}

export function fromPage({ key, value }: StoreEntry): EventPage {
  return { first: key[2] as number, events: splitLines(value) };
}

/** The stored bytes of events, at least one, or of pages, one after another: one event a line. Their buffer is their own. */
export function joinLines(events: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = events.length - 1;
  for (const bytes of events) size += bytes.length;
  return writeLines(events, new Uint8Array(size));
}

function writeLines<Bytes extends Uint8Array>(events: readonly Uint8Array[], lines: Bytes): Bytes {
  lines.fill(LINE_BREAK);
  let at = 0;
  for (const bytes of events) {
    lines.set(bytes, at);
    at += bytes.length + 1;
  }
  return lines;
}

/** The other way round; the events share the buffer. */
export function splitLines(lines: Uint8Array): Uint8Array[] {
  const events: Uint8Array[] = [];
  let start = 0;
  for (let end; (end = lines.indexOf(LINE_BREAK, start)) !== -1; start = end + 1) {
    events.push(lines.subarray(start, end));
  }
  events.push(lines.subarray(start));
  return events;
}

/** The stored bytes of the events from position `from` (inclusive) to `end` (exclusive), oldest first. */
export async function readEvents(
  store: Store,
  partition: number,
  from: number,
  end: number,
): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for (const page of await readPages(store, partition, from, end)) {
    found.push(...page.events.slice(Math.max(0, from - page.first), end - page.first));
  }
  return found;
}

/**
 * The stored bytes of the events at these positions, in their order; `undefined` where there is none.
 *
 * @param recent Asked first, and given what is read. Then all of the positions must be committed.
 */
export async function readEventsAt(
  store: Store,
  partition: number,
  positions: readonly number[],
  recent?: PageCache,
): Promise<(Uint8Array | undefined)[]> {
  const found = new Map<number, Uint8Array | undefined>();
  for (const position of positions) found.set(position, recent?.at(position));
  const runs = neighbours(positions.filter((position) => !found.get(position)));
  for (let i = 0; i < runs.length; i += READS_AT_ONCE) {
    await Promise.all(
      runs.slice(i, i + READS_AT_ONCE).map(async ([first, last]) => {
        for (const page of await readPages(store, partition, first, last + 1)) {
          recent?.add(page);
          page.events.forEach((bytes, j) => {
            if (found.has(page.first + j)) found.set(page.first + j, bytes);
          });
        }
      }),
    );
  }
  return positions.map((position) => found.get(position));
}

const READS_AT_ONCE = 16;
/** Events that lie no further apart are most likely on one page, or on the next. */
const NEAR = 64;
/** What lies between is read, too, so a run has an end. */
const LONGEST_RUN = 1_024;

/** First and last of the runs of positions that are read together. */
function neighbours(positions: readonly number[]): [first: number, last: number][] {
  const runs: [first: number, last: number][] = [];
  for (const position of [...positions].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && position - run[1] <= NEAR && position - run[0] < LONGEST_RUN) run[1] = position;
    else runs.push([position, position]);
  }
  return runs;
}

/** The pages that hold the events from position `from` (inclusive) to `end` (exclusive), and their neighbours on those. */
async function readPages(store: Store, partition: number, from: number, end: number): Promise<EventPage[]> {
  if (end <= from) return [];
  const prefix = [EVENTS, partition];
  const [first, rest] = await Promise.all([
    pageWith(store, partition, from),
    end === from + 1 ? [] : store.list(
      { prefix, start: eventKey(partition, from + 1), end: eventKey(partition, end) },
      { limit: end - from },
    ),
  ]);
  return [...first ? [first] : [], ...rest.map(fromPage)];
}

/** The last page that begins at or before the position. */
async function pageWith(store: Store, partition: number, position: number): Promise<EventPage | undefined> {
  const [entry] = await store.list(
    { prefix: [EVENTS, partition], end: eventKey(partition, position + 1) },
    { limit: 1, reverse: true },
  );
  return entry && fromPage(entry);
}
