/**
 * What a job costs, counted: every key that its way writes. A key more in here is a tenth of the speed.
 */
import { assertEquals } from "@std/assert";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { Commit, StoreKey } from "../../src/events/store.ts";
import { FaultyStore } from "../support/faulty_store.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { aSpec } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { TestRuntime, type TestRuntimeOptions } from "./support/test_runtime.ts";

interface Written {
  readonly commits: number;
  readonly puts: Readonly<Record<string, number>>;
  readonly deletes: Readonly<Record<string, number>>;
}

/** Keys by their first part, over commits that wrote an event. */
function written(commits: readonly Commit[]): Written {
  const withEvents = commits.filter(({ puts }) => puts.some(({ key }) => key[0] === "0e"));
  return {
    commits: withEvents.length,
    puts: countFirstParts(withEvents.flatMap(({ puts }) => puts.map(({ key }) => key))),
    deletes: countFirstParts(withEvents.flatMap(({ deletes }) => deletes)),
  };
}

function countFirstParts(keys: readonly StoreKey[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [part] of keys) counts[part!] = (counts[part!] ?? 0) + 1;
  return counts;
}

async function opened(options: TestRuntimeOptions): Promise<{ test: TestRuntime; since: () => Commit[] }> {
  const store = new FaultyStore(new MemoryStore());
  const test = await TestRuntime.open({ store, ...options });
  let from = store.commits.length;
  const since = () => {
    const commits = store.commits.slice(from).map(({ commit }) => commit);
    from = store.commits.length;
    return commits;
  };
  return { test, since };
}

async function createMany(test: TestRuntime, count: number): Promise<void> {
  const specs = Array.from({ length: count }, () => aSpec({ payload: { n: 1 } }));
  await Promise.all(specs.map((spec) => test.commands.create(spec, TESTER)));
  await settle();
}

/** At a start the tenth choice waits until all windows are read, for it is that of the longest waiting job. */
const CHOSEN_AT_ONCE = 9;

Deno.test("50 jobs that wait cost one commit and one key, beside page, head and counts", async () => {
  const { test, since } = await opened({ startNow: false });
  await createMany(test, 50);
  assertEquals(written(since()), { commits: 1, puts: { w: 1, c: 1, "0e": 1, h: 1 }, deletes: {} });
  await test.close();
});

Deno.test("they cost no more when the clock goes on between a job's id and its event", async () => {
  class GoingOn extends ManualClock {
    override now(): number {
      this.advance(1);
      return super.now();
    }
  }
  const { test, since } = await opened({ startNow: false, clock: new GoingOn() });
  await createMany(test, 50);
  assertEquals(written(since()), { commits: 1, puts: { w: 1, c: 1, "0e": 1, h: 1 }, deletes: {} });
  await test.close();
});

Deno.test("50 jobs that are started at once cost no key of their own before they end", async () => {
  const { test, since } = await opened({ concurrency: 50 });
  await createMany(test, 50);
  assertEquals(written(since()), { commits: 2, puts: { c: 2, r: 2, "0e": 2, h: 2 }, deletes: {} });
  for (const run of test.open) run.resolve({ done: true });
  await settle();
  assertEquals(written(since()), {
    commits: 1,
    puts: { "0l": 50, c: 1, m: 1, r: 1, "0e": 1, h: 1 },
    deletes: {},
  });
  await test.close();
});

Deno.test("waiting jobs that are started cost one key, and the end of each one", async () => {
  const { test, since } = await opened({ concurrency: 50, startNow: false });
  await createMany(test, CHOSEN_AT_ONCE);
  since();
  await test.start();
  assertEquals(written(since()), { commits: 1, puts: { c: 1, r: 1, "0e": 1, h: 1 }, deletes: { w: 1 } });
  for (const run of test.open) run.resolve({ done: true });
  await settle();
  assertEquals(written(since()).puts, { "0l": CHOSEN_AT_ONCE, c: 1, m: 1, r: 1, "0e": 1, h: 1 });
  await test.close();
});

Deno.test("with one slot, the end of a job and the start of the next are one commit of seven keys", async () => {
  const { test, since } = await opened({ concurrency: 1 });
  await createMany(test, 3);
  since();
  test.open[0]!.resolve({ done: true });
  await settle();
  assertEquals(written(since()), {
    commits: 1,
    puts: { "0l": 1, w: 1, c: 1, m: 1, r: 1, "0e": 1, h: 1 },
    deletes: {},
  });
  await test.close();
});

Deno.test("a scheduled job is in the lists by a key of its own; each tag and an idempotency key cost theirs", async () => {
  const { test, since } = await opened({ startNow: false });
  await test.commands.create(aSpec({ scheduled_at: "2099-01-01T00:00:00.000Z" }), TESTER);
  assertEquals(written(since()).puts, { "0l": 1, d: 1, c: 1, "0e": 1, h: 1 });
  await test.commands.create(aSpec({ tags: ["a", "b"] }), TESTER, { key: "k", bodyHash: "h" });
  assertEquals(written(since()).puts, { w: 1, g: 2, i: 1, x: 1, c: 1, "0e": 1, h: 1 });
  await test.close();
});

Deno.test("a no-op job writes so many bytes, to the byte", async () => {
  const { test, since } = await opened({ concurrency: 50 });
  await createMany(test, 50);
  const started = since();
  for (const run of test.open) run.resolve({ done: true });
  await settle();
  const ended = since();
  // Per job: job.created and job.started, in two commits, then job.completed; the row.
  assertEquals(
    [bytesOf(started, "0e"), bytesOf(ended, "0e"), bytesOf(ended, "0l")],
    [43_883, 18_594, 8_690],
  );
  await test.close();
});

Deno.test("one that waits before it is started writes as many, in two commits", async () => {
  const { test, since } = await opened({ concurrency: 50, startNow: false });
  await createMany(test, CHOSEN_AT_ONCE);
  const created = since();
  await test.start();
  assertEquals([bytesOf(created, "0e"), bytesOf(since(), "0e")], [4_922, 2_959]);
  await test.close();
});

/** Of the values under keys with this first part. */
function bytesOf(commits: readonly Commit[], first: string): number {
  return commits.flatMap(({ puts }) => puts).filter(({ key }) => key[0] === first)
    .reduce((sum, { value }) => sum + value.length, 0);
}
