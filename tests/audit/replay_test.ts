/**
 * Replay finds what the plain comparison finds that holds everything in memory (`tests/support/consistency.ts`), however
 * little memory it is given.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { listKey } from "../../src/actors/job/keys.ts";
import { encodeJson } from "../../src/actors/job/row.ts";
import type { JobSpec } from "../../src/actors/jobs.ts";
import { type Progress, replay, type ReplayOptions } from "../../src/audit/replay.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { Store } from "../../src/events/store.ts";
import { aSpec } from "../actors/support/facts.ts";
import { logOfJobs, TESTER } from "../actors/support/log_of_jobs.ts";
import { projectionDifferences } from "../support/consistency.ts";
import { anyDamage, anyLog, anyLogDamage, storeOf, tamper, viewsOf } from "./support/random_log.ts";

const anyMemory = fc.record({
  states: fc.integer({ min: 1, max: 40 }),
  pages: fc.integer({ min: 1, max: 8 }),
});
const ALL = 1e6;

async function verdict(store: Store, options: ReplayOptions = {}) {
  const found = await replay(store, { ...options, show: ALL });
  return {
    ...found,
    violations: found.violations.shown.map(({ position, what }) => `event ${position}: ${what}`),
    keys: found.differences.shown.map(({ key }) => JSON.stringify(key)).sort(),
  };
}

/** The keys that the plain comparison names. */
async function plainKeys(store: Store, now: number): Promise<string[]> {
  const lines = await projectionDifferences(store, { now });
  return lines.map((line) => /^(\[.*?\]) (?:is|should) /.exec(line)![1]!).sort();
}

Deno.test("replay() finds no difference in what the log's own commits wrote", async () => {
  await fc.assert(
    fc.asyncProperty(anyLog, anyMemory, async (steps, memory) => {
      const { store, now } = await storeOf(steps);
      const { violations, keys, entries } = await verdict(store, { now, memory });
      assertEquals({ violations, keys }, { violations: [], keys: [] });
      assertEquals(entries, (await viewsOf(store)).length);
    }),
    { numRuns: 200 },
  );
});

Deno.test("replay() names each key that was changed, added or removed past the log", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyLog,
      anyMemory,
      fc.array(anyDamage, { minLength: 1, maxLength: 4 }),
      async (steps, memory, damages) => {
        const { store, now } = await storeOf(steps);
        for (const damage of damages) {
          const views = await viewsOf(store);
          fc.pre(views.length > 0);
          const { puts, deletes } = damage(views);
          await tamper(store, puts, deletes);
        }
        const { violations, keys } = await verdict(store, { now, memory });
        assertEquals(violations, []);
        assertEquals(keys, await plainKeys(store, now));
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("replay() finds whatever was done to the log that the plain comparison finds, and always ends", async () => {
  await fc.assert(
    fc.asyncProperty(anyLog, anyMemory, anyLogDamage, async (steps, memory, damage) => {
      const { store, now } = await storeOf(steps);
      const pages = await store.list({ prefix: ["0e"] }, { limit: ALL });
      fc.pre(pages.length > 0);
      const { puts, deletes } = damage(pages);
      await tamper(store, puts, deletes);
      const plain = await projectionDifferences(store, { now }).catch(() => ["it cannot be read"]);
      const { violations, keys } = await verdict(store, { now, memory });
      if (plain.length > 0) assert(violations.length + keys.length > 0, plain[0]!);
    }),
    { numRuns: 500 },
  );
});

Deno.test("replay() names a row that was put back to an earlier state, though it was right once", async () => {
  const { store, processor, states, log } = await logOfJobs();
  const { after: { id } } = processor.create({ type: "create", spec: aSpec(), idempotency: null }, TESTER);
  const fail = async (attempt: number) => {
    await processor.execute(id, { type: "start" }, TESTER);
    const outcome = { type: "failed", errorMessage: "Error: no luck", retryable: false } as const;
    await processor.execute(id, { type: "settle", attempt, outcome, progress: null }, TESTER);
  };
  await fail(1);
  const key = listKey((await states.committed(id))!);
  const earlier = (await store.get(key)).value!;
  assert(earlier.length > 0);
  await processor.execute(id, { type: "retry" }, TESTER);
  await fail(2);
  await log.drain();
  await tamper(store, [{ key, value: earlier }]);
  const { violations, keys } = await verdict(store, { memory: { states: 1, pages: 1 } });
  assertEquals({ violations, keys }, { violations: [], keys: [JSON.stringify(key)] });
});

Deno.test("replay() names what is wrong in an index though its entries are as many as they should be", async () => {
  const { store, processor, log } = await logOfJobs();
  const create = (spec: Partial<JobSpec>) =>
    processor.create({ type: "create", spec: aSpec(spec), idempotency: null }, TESTER).after.id;
  const time = "2100-01-01T00:00:00.000Z";
  const scheduled = Array.from(
    { length: 6 },
    (_, n) => create({ job_type: `kind-${n % 2}`, scheduled_at: time }),
  );
  const tagged = Array.from({ length: 6 }, (_, n) => create({ tags: [`tag-${n}`] }));
  await log.drain();
  const [one, other] = await store.list({ prefix: ["d"] }, { limit: 2 });
  const later = [...one!.key.slice(0, -2), Date.parse(time) + 1, scheduled[0]!];
  const [missing, strange] = [["g", "tag-0", tagged[0]!], ["g", "tag-0", tagged[1]!]];
  await tamper(
    store,
    [{ key: later, value: one!.value }, { key: other!.key, value: one!.value }, {
      key: strange,
      value: new Uint8Array(),
    }],
    [one!.key, missing],
  );
  const { violations, keys } = await verdict(store, { memory: { states: 1, pages: 1 } });
  const wrong = [one!.key, other!.key, later, missing, strange].map((key) => JSON.stringify(key)).sort();
  assertEquals({ violations, keys }, { violations: [], keys: wrong });
  assertEquals(keys, await plainKeys(store, 0));
});

Deno.test("replay() names what is missing of a list most of whose entries are rows", async () => {
  const { store, processor, log } = await logOfJobs();
  const cancelled = async (from: string) => {
    const spec = aSpec({ queue: from });
    const { after: { id } } = processor.create({ type: "create", spec, idempotency: null }, TESTER);
    if (from !== "to") await processor.execute(id, { type: "update", changes: { queue: "to" } }, TESTER);
    await processor.execute(id, { type: "cancel" }, TESTER);
    return id;
  };
  for (let n = 0; n < 8; n++) await cancelled("to");
  const moved = await cancelled("from");
  await log.drain();
  const list = await store.list({ prefix: ["0l"] }, { limit: ALL });
  assertEquals(list.map(({ value }) => value.length > 0), [...Array(8).fill(true), false]);
  assertEquals((await verdict(store)).keys, []);
  const { key } = list.at(-1)!;
  assertEquals(key.at(-1), moved);
  await tamper(store, [], [key]);
  assertEquals((await verdict(store)).keys, [JSON.stringify(key)]);
});

Deno.test("replay() passes over the prefixes that it is told are folded from no event", async () => {
  const { store } = await storeOf([]);
  await tamper(store, [{ key: ["q", 1], value: new Uint8Array([1]) }]);
  assertEquals((await verdict(store)).keys, ['["q",1]']);
  assertEquals((await verdict(store, { otherPrefixes: ["q"] })).keys, []);
});

Deno.test("replay() lets counts of nothing be, and names what is no counts", async () => {
  const { store } = await storeOf([]);
  const noJobs = { queued: 0, processing: 0, completed: 0, failed: 0, cancelled: 0 };
  const values = [noJobs, { ...noJobs, queued: 1 }, { queued: 0 }, {}, [], 0, null, "0"];
  await tamper(
    store,
    values.map((value, n) => ({ key: ["c", "gone", `kind-${n}`], value: encodeJson(value) })),
  );
  const named = values.slice(1).map((_, n) => `["c","gone","kind-${n + 1}"]`);
  assertEquals((await verdict(store)).keys, named);
  assertEquals(await plainKeys(store, 0), named);
});

Deno.test("replay() counts every difference and keeps as many as it is asked to show", async () => {
  const { store } = await storeOf([]);
  await tamper(store, Array.from({ length: 30 }, (_, n) => ({ key: ["q", n], value: new Uint8Array() })));
  const { differences } = await replay(store, { show: 3 });
  assertEquals([differences.total, differences.shown.length], [30, 3]);
});

Deno.test("replay() tells how far it is, up to the end", async () => {
  const { store } = await storeOf(fc.sample(anyLog, { numRuns: 1, seed: 7 })[0]!);
  const told: Progress[] = [];
  const { events, entries } = await replay(store, { onProgress: (progress) => told.push(progress) });
  assert(events > 0 && entries > 0);
  assertEquals(told.filter(({ of }) => of === "events").at(-1), {
    of: "events",
    done: events,
    total: events,
  });
  assertEquals(told.at(-1), { of: "entries", done: entries, total: null });
});

Deno.test("replay() of a store without a log says so", async () => {
  await assertRejects(() => replay(new MemoryStore()), Error, "There is no log: it has no head");
});

/** A log of two pages: positions 0 to 2, which create jobs, and 3 to 5, which start them. */
async function twoPages() {
  const { store, processor, states, log } = await logOfJobs();
  const ids = [1, 2, 3].map(() =>
    processor.create({ type: "create", spec: aSpec(), idempotency: null }, TESTER).after.id
  );
  await log.drain();
  for (const id of ids) processor.stage(id, states.peek(id)!, { type: "start" }, TESTER);
  await log.drain();
  const pages = await store.list({ prefix: ["0e"] }, { limit: 10 });
  assertEquals(pages.map(({ key }) => key[2]), [0, 3]);
  const events = pages.map(({ value }) =>
    new TextDecoder().decode(value).split("\n").map((line) => JSON.parse(line))
  );
  return { store, ids, events: events.flat() as Record<string, unknown>[] };
}

type Event = Record<string, unknown>;

const UNLAWFUL: Record<string, { change: (events: Event[]) => Event[]; says: string }> = {
  "is missing": { change: (events) => events.toSpliced(1, 1), says: "event 4: its position says 5" },
  "was added": {
    change: (events) => [...events, { ...events[0], position: 6 }],
    says: "event 6: no job.started can happen to",
  },
  "changed places": {
    change: ([a, b, c]) => [b!, a!, c!],
    says: "event 3: its position says 4",
  },
  "is of another log": {
    change: ([a, ...rest]) => [{ ...a, log_id: "other" }, ...rest],
    says: "event 3: it is of log other",
  },
  "is before the one before it": {
    change: ([a, b, c]) => [a!, { ...b, time: "2020-01-01T00:00:00.000Z" }, c!],
    says: "event 4: its time 2020-01-01T00:00:00.000Z is before",
  },
  "has no time": {
    change: ([a, ...rest]) => [{ ...a, time: "soon" }, ...rest],
    says: "event 3: its time is soon",
  },
  "is no step of the machine": {
    change: ([a, ...rest]) => [{ ...a, type: "job.completed" }, ...rest],
    says: "event 3: no job.completed can happen to job/",
  },
  "is of another machine": {
    change: ([a, ...rest]) => [{ ...a, machine_version: 99 }, ...rest],
    says: "event 3: no job.started can happen to job/",
  },
  "skips a version": {
    change: ([a, ...rest]) => [{ ...a, version: 3 }, ...rest],
    says: "event 3: it is version 3 of job/",
  },
  "is no event": {
    change: ([, ...rest]) => [{}, ...rest],
    says: "event 3: the stored bytes are not an event",
  },
  "is of another partition": {
    change: ([a, ...rest]) => [{ ...a, partition: 1 }, ...rest],
    says: "event 3: its partition says 1",
  },
};

for (const [name, { change, says }] of Object.entries(UNLAWFUL)) {
  Deno.test(`replay() names the position of an event that ${name}`, async () => {
    const { store, events } = await twoPages();
    const changed = change(events.slice(3));
    const value = new TextEncoder().encode(changed.map((event) => JSON.stringify(event)).join("\n"));
    await tamper(store, [{ key: ["0e", 0, 3], value }]);
    const { violations } = await verdict(store);
    assert(violations.some((line) => line.startsWith(says)), violations.join("\n"));
  });
}

Deno.test("replay() names a gap, a page too many, and bytes that are no JSON", async () => {
  const { store } = await twoPages();
  const [first] = await store.list({ prefix: ["0e"] }, { limit: 1 });
  await tamper(store, [{ key: ["0e", 0, 2], value: new Uint8Array([0xff]) }], [["0e", 0, 0]]);
  const { violations } = await verdict(store);
  assertEquals(violations.slice(0, 2), [
    "event 0: the events from here to 1 are missing",
    "event 2: the stored bytes are not an event",
  ]);
  await tamper(store, [first!, { key: ["0e", 1, 0], value: new Uint8Array() }], [["0e", 0, 3]]);
  const later = (await verdict(store)).violations;
  assertEquals(later[0], 'event null: ["0e",1,0] is neither an event of this log nor its head');
  assert(later.includes("event 2: a page begins here, but the one before it ends at 2"), later.join("\n"));
  assert(later.includes("event null: the head counts 6 events, the log has 3"), later.join("\n"));
});

Deno.test("replay() names an empty page behind the end of the log", async () => {
  const { store } = await twoPages();
  await tamper(store, [{ key: ["0e", 0, 6], value: new Uint8Array() }]);
  const { violations } = await verdict(store);
  assertEquals(violations, [
    "event 6: the stored bytes are not an event",
    "event null: the head counts 6 events, the log has 7",
  ]);
});

Deno.test("replay() checks the versions of streams that are no jobs", async () => {
  const { store, events } = await twoPages();
  const other = { ...events[0], stream: "queue/mail", type: "queue.paused", data: {} };
  const changed = [{ ...other, position: 3, version: 1 }, { ...other, position: 4, version: 3 }];
  const lines = changed.map((event) => JSON.stringify({ ...event, time: events[3]!["time"] }));
  await tamper(store, [{ key: ["0e", 0, 3], value: new TextEncoder().encode(lines.join("\n")) }]);
  const { violations } = await verdict(store);
  assertEquals(violations[0], "event 4: it is version 3 of queue/mail, the one before is 1");
});

Deno.test("replay() ends, and names the damage, when a page is missing and rows are those of an earlier moment", async () => {
  const { store, processor, log } = await logOfJobs();
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) {
    const { after: { id } } = processor.create({ type: "create", spec: aSpec(), idempotency: null }, TESTER);
    await log.drain();
    await processor.execute(id, { type: "cancel" }, TESTER);
    ids.push(id);
  }
  const pages = await store.list({ prefix: ["0e"] }, { limit: ALL });
  const rows = await store.list({ prefix: ["0l"] }, { limit: ALL });
  await Promise.all(
    [ids[0]!, ids[5]!].map((id) => processor.execute(id, { type: "delete" }, TESTER)),
  );
  await tamper(store, rows, [pages[5]!.key]);
  const { violations } = await verdict(store, { memory: { states: 1, pages: 2 } });
  assert(violations.length > 0);
});
