import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type DueEntry, DueWindow } from "../../src/actors/due_window.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { StoreKey } from "../../src/events/store.ts";
import { settle } from "../support/manual_clock.ts";
import { SlowStore } from "./support/slow_store.ts";

const HIGH = 3_000;
const encoder = new TextEncoder();

/** Due rows on a store in memory, and what a window must know of them. */
class DueRows {
  readonly memory = new MemoryStore();
  readonly store = new SlowStore(this.memory);
  readonly errors: unknown[] = [];
  readonly held = new Set<string>();
  found = 0;
  #versionstamp: string | null = null;

  window(unread: boolean, handles: (jobType: string) => boolean = () => true): DueWindow {
    return new DueWindow("default", 1, unread, {
      store: this.store,
      held: this.held,
      handles,
      preload: async (find) => void await find(),
      onFound: () => this.found += 1,
      onError: (error) => this.errors.push(error),
    });
  }

  async write(added: readonly DueEntry[], removed: readonly DueEntry[] = []): Promise<void> {
    this.#versionstamp = await this.memory.commit({
      check: { key: ["h"], versionstamp: this.#versionstamp },
      puts: [
        { key: ["h"], value: new Uint8Array() },
        ...added.map((entry) => ({ key: keyOf(entry), value: encoder.encode(entry.jobType) })),
      ],
      deletes: removed.map(keyOf),
    });
  }
}

function keyOf({ readyAt, id }: DueEntry): StoreKey {
  return ["d", "default", 1, readyAt, id];
}

function entry(n: number, readyAt = n, jobType = "echo"): DueEntry {
  return { id: `job-${String(n).padStart(6, "0")}`, readyAt, jobType };
}

function entries(count: number, from = 0): DueEntry[] {
  return Array.from({ length: count }, (_, i) => entry(from + i));
}

/** Takes what the window has, in its order, letting it read on, and the rows go from disk as jobs are started. */
async function drain(rows: DueRows, window: DueWindow, most = Infinity): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < most) {
    const first = window.first();
    if (!first) {
      await settle();
      if (!window.first()) break;
      continue;
    }
    window.remove(first);
    taken.push(first.id);
    await rows.write([], [first]);
  }
  return taken;
}

Deno.test("DueWindow reads thousands of rows from disk in order, each once", async () => {
  const rows = new DueRows();
  const all = entries(5_000);
  await rows.write(all);
  const window = rows.window(true);
  await window.refill();
  assertEquals(await drain(rows, window), all.map(({ id }) => id));
  assert(rows.store.lists < 20, `${rows.store.lists} reads for 10 pages`);
});

Deno.test("DueWindow orders 5,000 jobs that are due at the same time by their ids", async () => {
  const rows = new DueRows();
  const all = Array.from({ length: 5_000 }, (_, n) => entry(n, 1_000));
  await rows.write([...all].reverse());
  const window = rows.window(true);
  await window.refill();
  assertEquals(await drain(rows, window), all.map(({ id }) => id));
});

Deno.test("DueWindow drops what is too much for memory and finds it again on disk", async () => {
  const rows = new DueRows();
  const window = rows.window(false);
  const all = entries(HIGH);
  await rows.write(all);
  for (const each of all) window.add(each);
  assertEquals(await drain(rows, window), all.map(({ id }) => id));
  assert(rows.store.lists > 0);
});

Deno.test("DueWindow passes over held jobs and comes back to them", () => {
  const rows = new DueRows();
  const window = rows.window(false);
  for (const each of entries(3)) window.add(each);
  rows.held.add("job-000000").add("job-000001");
  assertEquals(window.first()?.id, "job-000002");
  rows.held.add("job-000002");
  assertEquals(window.first(), undefined);
  rows.held.clear();
  assertEquals(window.first()?.id, "job-000000");
});

Deno.test("DueWindow passes over jobs of types without a handler, on disk and as they land", async () => {
  const rows = new DueRows();
  const stored = entries(2_500).map((each, n) => n % 1_000 === 999 ? each : { ...each, jobType: "unknown" });
  await rows.write(stored);
  const window = rows.window(true, (jobType) => jobType === "echo");
  await window.refill();
  window.add(entry(9_000, 9_000, "unknown"));
  window.add(entry(9_001));
  assertEquals(await drain(rows, window), ["job-000999", "job-001999", "job-009001"]);
});

Deno.test("DueWindow keeps what landed while it was reading, and not what left", async () => {
  const rows = new DueRows();
  const old = entries(400, 100);
  await rows.write(old);
  const window = rows.window(true);
  rows.store.slow.add("list");
  const refilled = window.refill();
  await settle();
  // The page is on its way; the rows change under it.
  const [early, between, late, gone] = [entry(1), entry(99_999, 250), entry(90_000), old[7]!];
  await rows.write([early, between, late], [gone]);
  for (const each of [early, between, late]) window.add(each);
  window.remove(gone);
  rows.store.slow.clear();
  rows.store.release();
  await refilled;
  const expected = [...old.filter(({ id }) => id !== gone.id), early, between, late]
    .sort((a, b) => a.readyAt - b.readyAt || (a.id < b.id ? -1 : 1));
  assertEquals(await drain(rows, window), expected.map(({ id }) => id));
});

Deno.test("DueWindow loses nothing when so much lands while it is reading that memory overflows", async () => {
  const rows = new DueRows();
  const future = Array.from({ length: 600 }, (_, n) => entry(20_000 + n, 1_000_000 + n));
  await rows.write(future);
  const window = rows.window(true);
  await window.refill();
  rows.store.slow.add("list");
  const taken = await drain(rows, window, 301);
  // The window runs low and its next page is on its way; now comes what is due before all that it holds.
  assertEquals(rows.store.waiting, 1);
  const burst = entries(1_850);
  await rows.write(burst);
  for (const each of burst) window.add(each);
  rows.store.slow.clear();
  rows.store.release();
  await settle();
  taken.push(...await drain(rows, window));
  const [before, after] = [future.slice(0, 301), future.slice(301)];
  assertEquals(taken, [...before, ...burst, ...after].map(({ id }) => id));
});

Deno.test("DueWindow tells of a read that failed and can read again", async () => {
  const rows = new DueRows();
  const all = entries(1_000);
  await rows.write(all);
  const window = rows.window(true);
  await window.refill();
  rows.store.slow.add("list");
  assertEquals((await drain(rows, window, 400)).length, 400);
  rows.store.fail();
  await settle();
  assertEquals(rows.errors.length, 1);
  rows.store.slow.clear();
  await window.refill();
  assertEquals((await drain(rows, window)).length, 600);
});

type Deed =
  | { readonly type: "land"; readonly readyAt: number }
  | { readonly type: "leave"; readonly which: number }
  | { readonly type: "take" }
  | { readonly type: "read" }
  | { readonly type: "burst"; readonly readyAt: number };

const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant("land" as const), readyAt: fc.integer({ min: 0, max: 3_000 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("leave" as const), which: fc.nat() }) },
  { weight: 8, arbitrary: fc.constant({ type: "take" as const }) },
  { weight: 4, arbitrary: fc.constant({ type: "read" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("burst" as const),
      readyAt: fc.integer({ min: 0, max: 3_000 }),
    }),
  },
);

Deno.test("DueWindow gives every job that waits exactly once, however reads and changes interleave", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 1_500 }),
      fc.array(anyDeed, { maxLength: 60 }),
      async (old, deeds) => {
        const rows = new DueRows();
        const waiting = new Map(entries(old).map((each) => [each.id, each]));
        await rows.write([...waiting.values()]);
        const window = rows.window(true);
        rows.store.slow.add("list");
        const loaded = window.refill();
        await settle();
        let next = 100_000;
        const land = async (landed: readonly DueEntry[]) => {
          await rows.write(landed);
          for (const each of landed) {
            waiting.set(each.id, each);
            window.add(each);
          }
        };
        const leave = async (gone: DueEntry) => {
          waiting.delete(gone.id);
          await rows.write([], [gone]);
          window.remove(gone);
        };
        for (const deed of deeds) {
          if (deed.type === "land") await land([entry(next++, deed.readyAt)]);
          if (deed.type === "burst") {
            await land(Array.from({ length: 900 }, () => entry(next++, deed.readyAt)));
          }
          if (deed.type === "leave" && waiting.size > 0) {
            await leave([...waiting.values()][deed.which % waiting.size]!);
          }
          if (deed.type === "read" && rows.store.waiting > 0) {
            rows.store.release();
            await settle();
          }
          const first = deed.type === "take" ? window.first() : undefined;
          if (first) {
            assert(waiting.has(first.id), `${first.id} does not wait any more`);
            await leave(first);
          }
        }
        rows.store.slow.clear();
        while (rows.store.waiting > 0) rows.store.release();
        await loaded;
        const taken = await drain(rows, window);
        const expected = [...waiting.values()].sort((a, b) =>
          a.readyAt - b.readyAt || (a.id < b.id ? -1 : 1)
        );
        assertEquals(taken, expected.map(({ id }) => id));
      },
    ),
    { numRuns: 60 },
  );
});
