import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Mutations, Projector, StagedAppend } from "../../src/events/append.ts";
import { likelyBatch, sealBatch, type SealedBatch } from "../../src/events/batch.ts";
import type { EventEnvelope } from "../../src/events/event.ts";
import { keyBytes } from "../../src/events/store.ts";

/** What an append makes the projector write. */
interface Rows {
  readonly count: number;
  readonly bytes: number;
  readonly keyLength: number;
  readonly deletes: number;
}

const SMALL: Rows = { count: 1, bytes: 300, keyLength: 36, deletes: 1 };

/** Appends as they wait, from position 0 on: the sizes of each one's events, and its rows. */
function waiting(appends: readonly { events: readonly number[]; rows: Rows }[]): StagedAppend<Rows>[] {
  let position = 0;
  return appends.map(({ events, rows }) => ({
    stream: "s",
    events: events.map((bytes) => ({
      event: { partition: 0, position: position++ } as EventEnvelope,
      bytes: new Uint8Array(bytes),
    })),
    change: rows,
    landed: Promise.resolve(),
  }));
}

const projector: Projector<Rows> = {
  project(changes): Mutations {
    const mutations: Mutations = { puts: [], deletes: [] };
    changes.forEach(({ count, bytes, keyLength, deletes }, i) => {
      for (let j = 0; j < count; j++) {
        mutations.puts.push({ key: ["k".repeat(keyLength), i, j], value: new Uint8Array(bytes) });
      }
      for (let j = 0; j < deletes; j++) mutations.deletes.push(["d".repeat(keyLength), i, j]);
    });
    return mutations;
  },
  landed() {},
};

const many = (count: number, events: readonly number[], rows = SMALL) =>
  waiting(Array.from({ length: count }, () => ({ events, rows })));

function sealed(appends: readonly StagedAppend<Rows>[]): SealedBatch<Rows> {
  const batch = sealBatch(likelyBatch(appends), projector);
  assert(!(batch instanceof Promise));
  return batch;
}

Deno.test("sealBatch() takes all that waits when it fits, rows first and then the events on one page", () => {
  const appends = many(3, [200, 100]);
  const { appends: taken, puts, deletes } = sealed(appends);
  assertEquals(taken, appends);
  assertEquals(puts.slice(3).map(({ key, value }) => [key, value.length]), [[["0e", 0, 0], 905]]);
  assertEquals(deletes.length, 3);
});

Deno.test("sealBatch() stops where a larger commit is no faster, and where bytes run out", () => {
  assertEquals(sealed(many(1000, [300], { ...SMALL, deletes: 0 })).appends.length, 512);
  assertEquals(sealed(many(1000, [50 * 1024])).appends.length, 14);
});

Deno.test("sealBatch() takes fewer when rows turn out larger than expected", () => {
  const heavy = { ...SMALL, bytes: 40_000 };
  assertEquals(sealed(many(120, [300], heavy)).appends.length, 15);
  const wide = { ...SMALL, count: 20, keyLength: 10 };
  assertEquals(sealed(many(120, [300], wide)).appends.length, 30);
  const long = { ...SMALL, keyLength: 600 };
  assertEquals(sealed(many(120, [300], long)).appends.length, 30);
});

Deno.test("sealBatch() takes one append whatever its size", () => {
  assertEquals(sealed(many(2, Array(8).fill(60_000))).appends.length, 1);
  assertEquals(sealed(many(5, [100], { ...SMALL, bytes: 900_000 })).appends.length, 1);
});

Deno.test("sealBatch() cuts no group, even one that fills a commit", () => {
  const grouped = (count: number, group: object, bytes: number) =>
    many(count, [bytes]).map((append) => ({ ...append, group }));
  const [a, b] = [{}, {}];
  assertEquals(sealed([...many(100, [300]), ...grouped(450, a, 300)]).appends.length, 100);
  assertEquals(sealed([...grouped(600, a, 300), ...grouped(1, b, 300)]).appends.length, 600);
  const heavy = { ...SMALL, bytes: 40_000 };
  const wide = waiting(Array.from({ length: 40 }, () => ({ events: [300], rows: heavy })));
  assertEquals(sealed(wide.map((append) => ({ ...append, group: a }))).appends.length, 40);
});

Deno.test("sealBatch() never exceeds Deno KV's limits with more than one append, and keeps their order", () => {
  const rows = fc.record({
    count: fc.integer({ min: 0, max: 12 }),
    bytes: fc.constantFrom(0, 300, 2_000, 60_000),
    keyLength: fc.constantFrom(1, 40, 600),
    deletes: fc.integer({ min: 0, max: 12 }),
  });
  const size = fc.constantFrom(200, 2_000, 61_440);
  const append = fc.record({ events: fc.array(size, { minLength: 1, maxLength: 5 }), rows });
  fc.assert(fc.property(fc.array(append, { minLength: 1, maxLength: 150 }), (appends) => {
    const queue = waiting(appends);
    const { appends: taken, puts, deletes } = sealed(queue);
    assert(taken.length >= 1);
    assertEquals(taken, queue.slice(0, taken.length));
    if (taken.length === 1) return;
    const keys = [...puts.map(({ key }) => key), ...deletes].reduce((sum, key) => sum + keyBytes(key), 0);
    const bytes = puts.reduce((sum, { value }) => sum + value.length, keys);
    assert(puts.length + deletes.length < 1000 && keys < 80 * 1024 && bytes < 800 * 1024);
  }));
});
