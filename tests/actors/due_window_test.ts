import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type DueEntry, DueWindow } from "../../src/actors/due_window.ts";
import { lowestJobId } from "../../src/actors/job/id.ts";
import type { JobState } from "../../src/actors/job/state.ts";
import { settle } from "../support/manual_clock.ts";
import { WaitingOnDisk } from "./support/waiting_on_disk.ts";

const HIGH = 3_000;

/** A window on what waits on disk. */
class Bench extends WaitingOnDisk {
  readonly errors: unknown[] = [];
  readonly spent: DueWindow[] = [];
  readonly held = new Set<string>();
  found = 0;
  /** Of a time at which all is due. */
  now = Infinity;

  window(unread: boolean, handles: (jobType: string) => boolean = () => true): DueWindow {
    return new DueWindow("default", 1, unread, {
      onSpent: (window) => this.spent.push(window as DueWindow),
      sizes: () => ({ page: 500, low: 700, high: 2_000 }),
      store: this.store,
      log: this.log,
      held: this.held,
      handles,
      jobTypes: () => ["echo"],
      read: this.read,
      now: () => this.now,
      preload: async (find) => void await find(),
      onFound: () => this.found += 1,
      onError: (error) => this.errors.push(error),
    });
  }

  /** The job whose first event is at position n, at that time; it waits since then, or from another time on. */
  entry(n: number, readyAt = n, jobType = "echo"): JobState {
    return this.newJob(n, { readyAt, jobType }, n);
  }

  /** Each waits since it was created, or from so much later on. */
  entries(count: number, from = 0, delay = 0): JobState[] {
    return Array.from({ length: count }, (_, i) => this.entry(from + i, from + i + delay));
  }
}

/** Takes what the window has, in its order, letting it read on, and they go from disk as jobs are started. */
async function drain(bench: Bench, window: DueWindow, most = Infinity): Promise<string[]> {
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
    await bench.write([], [first]);
  }
  return taken;
}

for (const [kind, delay] of Object.entries({ "wait since their creation": 0, "were scheduled": 10_000 })) {
  Deno.test(`DueWindow reads thousands of jobs that ${kind} from disk in order, each once`, async () => {
    const bench = new Bench();
    const all = bench.entries(5_000, 0, delay);
    await bench.write(all);
    const window = bench.window(true);
    await window.refill();
    assertEquals(await drain(bench, window), all.map(({ id }) => id));
    assert(bench.store.lists < 40, `${bench.store.lists} reads for 10 pages`);
  });

  Deno.test(`DueWindow drops what of jobs that ${kind} is too much for memory, and finds it again on disk`, async () => {
    const bench = new Bench();
    const window = bench.window(false);
    const all = bench.entries(HIGH, 0, delay);
    await bench.write(all);
    for (const each of all) window.add(each);
    assertEquals(await drain(bench, window), all.map(({ id }) => id));
    assert(bench.store.lists > 0);
  });
}

Deno.test("DueWindow tells when nothing is left of it, here or on disk, and not before", async () => {
  const bench = new Bench();
  const all = bench.entries(2_000);
  await bench.write(all);
  const window = bench.window(true);
  await window.refill();
  assert(window.size < all.length, "some are on disk only");
  await bench.write([], all);
  for (const each of all) window.remove(each);
  await settle();
  assertEquals([window.size, window.isSpent, bench.spent.includes(window), bench.errors], [
    0,
    true,
    true,
    [],
  ]);
  const full = bench.window(true);
  const more = bench.entries(1, 2_000);
  await bench.write(more);
  await full.refill();
  assertEquals([full.isSpent, bench.spent.includes(full)], [false, false]);
});

Deno.test("DueWindow orders 5,000 jobs that are due at the same time by their ids", async () => {
  const bench = new Bench();
  const all = Array.from({ length: 5_000 }, (_, n) => bench.entry(n, 1_000));
  await bench.write([...all].reverse());
  const window = bench.window(true);
  await window.refill();
  assertEquals(await drain(bench, window), all.map(({ id }) => id));
});

Deno.test("DueWindow passes over held jobs and comes back to them", () => {
  const bench = new Bench();
  const window = bench.window(false);
  const entries = bench.entries(3);
  const ids = entries.map(({ id }) => id);
  for (const each of entries) window.add(each);
  bench.held.add(ids[0]!).add(ids[1]!);
  assertEquals(window.first()?.id, ids[2]);
  bench.held.add(ids[2]!);
  assertEquals(window.first(), undefined);
  bench.held.clear();
  assertEquals(window.first()?.id, ids[0]);
});

Deno.test("DueWindow passes over jobs of types without a handler, on disk and as they land", async () => {
  const bench = new Bench();
  const stored = bench.entries(2_500).map((each, n) =>
    n % 1_000 === 999 ? each : { ...each, jobType: "unknown" }
  );
  await bench.write(stored);
  const window = bench.window(true, (jobType) => jobType === "echo");
  await window.refill();
  window.add(bench.entry(9_000, 9_000, "unknown"));
  const landed = bench.entry(9_001);
  window.add(landed);
  assertEquals(await drain(bench, window), [stored[999]!, stored[1_999]!, landed].map(({ id }) => id));
});

Deno.test("DueWindow keeps what landed while it was reading, and not what left", async () => {
  const bench = new Bench();
  const old = bench.entries(400, 100);
  await bench.write(old);
  const window = bench.window(true);
  bench.store.slow.add("list");
  const refilled = window.refill();
  await settle();
  // The page is on its way; what waits changes under it.
  const [early, between, late, gone] = [
    bench.entry(1),
    bench.entry(99_999, 250),
    bench.entry(90_000),
    old[7]!,
  ];
  await bench.write([early, between, late], [gone]);
  for (const each of [early, between, late]) window.add(each);
  window.remove(gone);
  bench.store.slow.clear();
  bench.store.releaseAll();
  await refilled;
  const expected = [...old.filter(({ id }) => id !== gone.id), early, between, late]
    .sort((a, b) => a.readyAt - b.readyAt || (a.id < b.id ? -1 : 1));
  assertEquals(await drain(bench, window), expected.map(({ id }) => id));
});

Deno.test("DueWindow loses nothing when so much lands while it is reading that memory overflows", async () => {
  const bench = new Bench();
  const future = Array.from({ length: 1_200 }, (_, n) => bench.entry(20_000 + n, 1_000_000 + n));
  await bench.write(future);
  const window = bench.window(true);
  await window.refill();
  bench.store.slow.add("list");
  const taken = await drain(bench, window, 301);
  // The window runs low and its next page is on its way; now comes what is due before all that it holds.
  assertEquals(bench.store.waiting, 1);
  const burst = bench.entries(1_850);
  await bench.write(burst);
  for (const each of burst) window.add(each);
  bench.store.slow.clear();
  bench.store.releaseAll();
  await settle();
  taken.push(...await drain(bench, window));
  const [before, after] = [future.slice(0, 301), future.slice(301)];
  assertEquals(taken, [...before, ...burst, ...after].map(({ id }) => id));
});

Deno.test("DueWindow finds jobs behind those whose ids lead to no event, as other programs make them", async () => {
  const bench = new Bench();
  let now = 1_000_000;
  const strangers = Array.from({ length: 600 }, (_, i) => {
    now += i % 3;
    return { ...bench.newJob(now), id: lowestJobId(now, 1_000 + 40 * i) };
  });
  await bench.write(strangers);
  const jobs = Array.from({ length: 10 }, () => bench.newJob(++now));
  await bench.write(jobs);
  const window = bench.window(true);
  await window.refill();
  assertEquals(await drain(bench, window), [...strangers, ...jobs].map(({ id }) => id));
});

Deno.test("DueWindow does not read events of jobs that come long after those that fill its page", async () => {
  const bench = new Bench();
  const due = bench.entries(1_200, 0, 10);
  const later = bench.entries(600, 50_000);
  await bench.write([...due, ...later]);
  const window = bench.window(true);
  await window.refill();
  assert(bench.found > 0);
  // One for each page tells that none of the others comes before its end.
  assertEquals(bench.eventsRead, 2);
});

Deno.test("DueWindow tells of a read that failed and can read again", async () => {
  const bench = new Bench();
  const all = bench.entries(1_500);
  await bench.write(all);
  const window = bench.window(true);
  await window.refill();
  bench.store.slow.add("list");
  assertEquals((await drain(bench, window, 400)).length, 400);
  bench.store.fail();
  await settle();
  assertEquals(bench.errors.length, 1);
  bench.store.slow.clear();
  await window.refill();
  assertEquals((await drain(bench, window)).length, 1_100);
});

type Deed =
  | { readonly type: "create" }
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
  { weight: 3, arbitrary: fc.constant({ type: "create" as const }) },
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
        const bench = new Bench();
        const stored = Array.from({ length: old }, (_, n) => bench.entry(n, n % 3 === 0 ? n + 500 : n));
        const waiting = new Map(stored.map((each) => [each.id, each]));
        await bench.write([...waiting.values()]);
        const window = bench.window(true);
        bench.store.slow.add("list");
        const loaded = window.refill();
        await settle();
        let next = 100_000;
        const land = async (landed: readonly JobState[]) => {
          await bench.write(landed);
          for (const each of landed) {
            waiting.set(each.id, each);
            window.add(each);
          }
        };
        const leave = async (gone: DueEntry) => {
          waiting.delete(gone.id);
          await bench.write([], [gone]);
          window.remove(gone);
        };
        for (const deed of deeds) {
          if (deed.type === "create") await land([bench.entry(next++)]);
          if (deed.type === "land") await land([bench.entry(next++, deed.readyAt)]);
          if (deed.type === "burst") {
            await land(Array.from({ length: 900 }, () => bench.entry(next++, deed.readyAt)));
          }
          if (deed.type === "leave" && waiting.size > 0) {
            await leave([...waiting.values()][deed.which % waiting.size]!);
          }
          if (deed.type === "read" && bench.store.waiting > 0) {
            bench.store.release();
            await settle();
          }
          const first = deed.type === "take" ? window.first() : undefined;
          if (first) {
            assert(waiting.has(first.id), `${first.id} does not wait any more`);
            await leave(first);
          }
        }
        bench.store.slow.clear();
        bench.store.releaseAll();
        await loaded;
        const taken = await drain(bench, window);
        const expected = [...waiting.values()].sort((a, b) =>
          a.readyAt - b.readyAt || (a.id < b.id ? -1 : 1)
        );
        assertEquals(taken, expected.map(({ id }) => id));
      },
    ),
    { numRuns: 60 },
  );
});
