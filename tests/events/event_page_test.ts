import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeEvent, type EventEnvelope, type StoredEvent } from "../../src/events/event.ts";
import {
  fromPage,
  joinLines,
  readEvents,
  readEventsAt,
  splitLines,
  toPages,
} from "../../src/events/event_page.ts";
import { eventKey } from "../../src/events/head.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { StoreEntry } from "../../src/events/store.ts";

const PAGE_BYTES = 60 * 1024;

/** Events from position `first` on, each with a note as given; `bytes` are what would be stored. */
function events(first: number, notes: readonly string[]): StoredEvent[] {
  return notes.map((note, i) => {
    const event = { partition: 0, position: first + i, data: { note } } as unknown as EventEnvelope;
    return { event, bytes: encodeEvent(event) };
  });
}

async function storeOf(pages: readonly StoreEntry[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.commit({ check: { key: ["h", 0], versionstamp: null }, puts: pages, deletes: [] });
  return store;
}

Deno.test("the events of a commit share a page, under the position of the first", () => {
  const [page, ...others] = toPages(events(7, ["a", "b", "c"]));
  assertEquals([page!.key, others], [eventKey(0, 7), []]);
  assertEquals(fromPage(page!), { first: 7, events: events(7, ["a", "b", "c"]).map(({ bytes }) => bytes) });
});

Deno.test("an event that is alone on its page is stored as its bytes and nothing else", () => {
  const [event] = events(3, ["line\nbreak"]);
  assertEquals(toPages([event!]), [{ key: eventKey(0, 3), value: event!.bytes }]);
  assertEquals(fromPage({ key: eventKey(0, 3), value: event!.bytes }).events, [event!.bytes]);
});

Deno.test("a page is at most 60 KiB, and events come back byte for byte from wherever a commit ended", async () => {
  const note = fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
    { weight: 2, arbitrary: fc.constantFrom("\n", '"\n\\n"', "\u2028\u0000\r\n", "é€😀") },
    { weight: 1, arbitrary: fc.integer({ min: 20_000, max: 61_300 }).map((length) => "x".repeat(length)) },
  );
  const commits = fc.array(fc.array(note, { minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 9 });
  await fc.assert(fc.asyncProperty(commits, fc.nat(), fc.nat(), async (notes, a, b) => {
    const all: StoredEvent[] = [];
    const pages: StoreEntry[] = [];
    for (const commit of notes) {
      const added = events(all.length, commit);
      pages.push(...toPages(added));
      all.push(...added);
    }
    assert(pages.every(({ value }) => value.length <= PAGE_BYTES));
    const store = await storeOf(pages);
    const bytes = all.map((event) => event.bytes);
    const [from, end] = [a % (bytes.length + 1), b % (bytes.length + 1)];
    assertEquals(await readEvents(store, 0, from, end), bytes.slice(from, end));
    const positions = [from, end, bytes.length - 1, 0, from];
    assertEquals(await readEventsAt(store, 0, positions), positions.map((position) => bytes[position]));
  }));
});

Deno.test("positions of which the store has no event are told apart from those it has", async () => {
  const store = await storeOf(toPages(events(0, ["a", "b"])));
  assertEquals((await readEventsAt(store, 0, [5, 1, 2])).map((found) => found !== undefined), [
    false,
    true,
    false,
  ]);
  assertEquals(await readEventsAt(store, 1, [0]), [undefined]);
});

Deno.test("lines that are joined are parted again, also empty ones", () => {
  const line = fc.uint8Array({ maxLength: 5 }).map((bytes) => bytes.filter((byte) => byte !== 0x0a));
  fc.assert(fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
    assertEquals(splitLines(joinLines(lines)), lines);
  }));
});
