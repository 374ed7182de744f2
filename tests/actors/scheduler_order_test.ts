/**
 * The order of choice and its rule against starvation, across what is in memory and what is on disk.
 *
 * Windows are tiny here and reads end when the test says so, so that every edge between memory and disk is crossed.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { JOB_PRIORITIES } from "../../src/actors/job/job.ts";
import type { JobState } from "../../src/actors/job/state.ts";
import { JobScheduler } from "../../src/actors/job_scheduler.ts";
import { settle } from "../support/manual_clock.ts";
import { created, fold, started } from "./support/facts.ts";
import { WaitingOnDisk } from "./support/waiting_on_disk.ts";

/** Beyond what is read ahead of its time. */
const MUCH_LATER = 10_000;
const TINY = { page: 3, low: 2, high: 6 };
const QUEUES = ["a", "b"];
/** Of a type that has no handler here. */
const STRANGE = "strange";
const RUNNING = fold(created(), started(1)).phase;

class Bench extends WaitingOnDisk {
  readonly errors: unknown[] = [];
  readonly waiting = new Map<string, JobState>();
  readonly held = new Set<string>();
  readonly scheduler: JobScheduler;
  #jobs = 0;
  choices = 0;
  now = Infinity;

  constructor(sizes?: typeof TINY) {
    super();
    this.scheduler = new JobScheduler({
      store: this.store,
      log: this.log,
      handles: (jobType) => jobType !== STRANGE,
      jobTypes: () => ["echo"],
      read: this.read,
      now: () => this.now,
      preload: async (find) => void await find(),
      onFound: () => {},
      onError: (error) => this.errors.push(error),
      ...(sizes && { sizes }),
    });
  }

  /** Eight jobs a millisecond, some of which wait since they were created. */
  aJob(place: Partial<JobState>): JobState {
    return this.newJob(this.#jobs++ >> 3, place);
  }

  async change(before: JobState | null, after: JobState): Promise<void> {
    if (after.phase.startsWith("queued")) this.waiting.set(after.id, after);
    else this.waiting.delete(after.id);
    await this.land([{ before, after }]);
    this.scheduler.landed([
      { change: { before, after }, stream: after.id, events: [], landed: Promise.resolve() },
    ]);
  }

  /** What the rule says of all that waits, wherever it is. */
  expected(now: number): JobState | undefined {
    const due = this.#free().filter(({ readyAt }) => readyAt <= now);
    const rank = ({ priority }: JobState) => JOB_PRIORITIES.indexOf(priority);
    const fair = (this.choices + 1) % 10 === 0;
    return due.sort((a, b) =>
      (fair ? 0 : rank(b) - rank(a)) || a.readyAt - b.readyAt || (a.id < b.id ? -1 : 1)
    )[0];
  }

  /** Takes a job, which must be the expected one; nothing may come only while a read is under way. */
  async take(now: number): Promise<boolean> {
    const expected = this.expected(now);
    const id = this.scheduler.take(now);
    if (id === undefined && await this.#isReading()) return false;
    assertEquals(id, expected?.id, `choice ${this.choices + 1}`);
    if (!expected) {
      await this.#assertWakesInTime();
      return false;
    }
    this.choices += 1;
    await this.change(expected, { ...expected, phase: RUNNING });
    return true;
  }

  async #assertWakesInTime(): Promise<void> {
    if (await this.#isReading()) return;
    const next = Math.min(...this.#free().map(({ readyAt }) => readyAt));
    assert((this.scheduler.nextDueAt() ?? Infinity) <= next, `nothing looks for what is due at ${next}`);
  }

  #free(): JobState[] {
    return [...this.waiting.values()].filter(({ id, jobType }) => jobType !== STRANGE && !this.held.has(id));
  }

  /** A read that the choice itself begins comes to the store a moment later. */
  async #isReading(): Promise<boolean> {
    if (this.store.waiting === 0) await settle();
    return this.store.waiting > 0;
  }

  async endReads(): Promise<void> {
    while (this.store.waiting > 0) {
      this.store.release();
      await settle();
    }
  }
}

/** Without a time a job waits since it was created, or stays where it is. */
const anyPlace = fc.record({
  priority: fc.constantFrom(...JOB_PRIORITIES),
  queue: fc.constantFrom(...QUEUES),
  readyAt: fc.oneof(
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 20 }) },
    { weight: 1, arbitrary: fc.integer({ min: MUCH_LATER, max: MUCH_LATER + 20 }) },
  ),
}, { requiredKeys: ["priority", "queue"] });
const anyNewPlace = fc.tuple(anyPlace, fc.boolean()).map(([place, strange]) =>
  strange ? { ...place, jobType: STRANGE } : place
);
const which = fc.nat();
const anyDeed = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant("create" as const), place: anyNewPlace }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("change" as const), which, place: anyPlace }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("cancel" as const, "hold" as const), which }) },
  { weight: 10, arbitrary: fc.record({ type: fc.constant("take" as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("lose a start" as const) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant("end a read" as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.nat({ max: 10 }) }) },
  { weight: 1, arbitrary: fc.constant({ type: "wait" as const, ms: MUCH_LATER / 3 }) },
);

Deno.test("the order of choice holds across memory and disk, whatever lands while reads are under way", async () => {
  const stock = fc.array(anyNewPlace, { maxLength: 60 });
  const deeds = fc.array(anyDeed, { minLength: 20, maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(stock, deeds, async (places, deeds) => {
      const bench = new Bench(TINY);
      const stored = places.map((place) => bench.aJob(place));
      for (const state of stored) bench.waiting.set(state.id, state);
      await bench.write(stored);
      bench.now = 5;
      await bench.scheduler.load(QUEUES);
      bench.store.slow.add("list");
      for (const deed of deeds) {
        const of = (n: number) => [...bench.waiting.values()][n % bench.waiting.size];
        if (deed.type === "create") await bench.change(null, bench.aJob(deed.place));
        else if (deed.type === "wait") bench.now += deed.ms;
        else if (deed.type === "take") await bench.take(bench.now);
        else if (deed.type === "end a read") {
          if (bench.store.waiting > 0) bench.store.release();
          await settle();
        } else if (deed.type === "lose a start") {
          const id = bench.scheduler.take(bench.now);
          if (id === undefined) continue;
          assertEquals(id, bench.expected(bench.now)?.id);
          bench.choices += 1;
          bench.scheduler.giveBack(bench.waiting.get(id)!);
        } else if (bench.waiting.size > 0) {
          const state = of(deed.which)!;
          if (deed.type === "change") await bench.change(state, { ...state, ...deed.place });
          else if (deed.type === "cancel") await bench.change(state, { ...state, phase: "cancelled" });
          else if (bench.held.delete(state.id)) bench.scheduler.release(state.id);
          else bench.scheduler.hold((bench.held.add(state.id), state.id));
        }
      }
      for (const id of bench.held) bench.scheduler.release(id);
      bench.held.clear();
      bench.now += 2 * MUCH_LATER;
      for (let idle = 0; bench.expected(bench.now); idle++) {
        assert(idle < 3, "nothing is taken any more although jobs wait");
        await bench.endReads();
        while (await bench.take(bench.now)) idle = 0;
      }
      assertEquals(bench.errors, []);
    }),
    { numRuns: 200 },
  );
});

Deno.test("a job of lower priority does not go first while those above it are still being read", async () => {
  const bench = new Bench(TINY);
  const high = Array.from({ length: 4 }, (_, i) => bench.aJob({ priority: "high", readyAt: i }));
  const low = bench.aJob({ priority: "low", readyAt: 0 });
  for (const state of [...high, low]) bench.waiting.set(state.id, state);
  await bench.write([...high, low]);
  await bench.scheduler.load(["default"]);
  bench.store.slow.add("list");
  while (await bench.take(100));
  assertEquals(bench.scheduler.take(100), undefined, "the low one waits for the read");
  await bench.endReads();
  const left = bench.waiting.size;
  for (let i = 0; i < left; i++) {
    await bench.endReads();
    await bench.take(100);
    await settle();
  }
  await bench.endReads();
  while (await bench.take(100));
  assertEquals([...bench.waiting.keys()], []);
});

Deno.test("100,000 jobs that are due at the same time are taken by their ids, a few of them in memory", async () => {
  const bench = new Bench();
  const states = Array.from({ length: 100_000 }, () => bench.aJob({ readyAt: 7 }));
  await bench.write(states);
  await bench.scheduler.load(["default"]);
  let most = bench.scheduler.atHand;
  for (const state of states) {
    let id = bench.scheduler.take(10);
    if (id === undefined) {
      await settle();
      id = bench.scheduler.take(10);
    }
    if (id !== state.id) assertEquals(id, state.id);
    most = Math.max(most, bench.scheduler.atHand);
  }
  assertEquals(bench.scheduler.take(10), undefined);
  assert(most <= 2_500, `${most} jobs in memory`);
});

Deno.test("jobs that are scheduled for later cost disk, not memory", async () => {
  const bench = new Bench();
  for (let i = 0; i < 50; i++) {
    const states = Array.from(
      { length: 1_000 },
      (_, j) => bench.aJob({ readyAt: 1_000_000 + i * 1_000 + j }),
    );
    await bench.write(states);
    bench.scheduler.landed(states.map((after) => ({
      change: { before: null, after },
      stream: after.id,
      events: [],
      landed: Promise.resolve(),
    })));
  }
  assert(bench.scheduler.atHand <= 2_000, `${bench.scheduler.atHand} jobs in memory`);
  assertEquals(bench.scheduler.take(999_999), undefined);
  assertEquals(bench.scheduler.nextDueAt(), 1_000_000);
});

Deno.test("what comes behind jobs without a handler is looked for by the time at which they are due, and waited for", async () => {
  const bench = new Bench(TINY);
  const strange = Array.from(
    { length: TINY.page },
    () => bench.aJob({ priority: "high", readyAt: MUCH_LATER, jobType: STRANGE }),
  );
  const high = bench.aJob({ priority: "high", readyAt: MUCH_LATER });
  const low = bench.aJob({ priority: "low", readyAt: 0 });
  for (const state of [high, low]) bench.waiting.set(state.id, state);
  await bench.write([...strange, high, low]);
  bench.now = 10;
  await bench.scheduler.load(["default"]);
  assert(await bench.take(bench.now), "nothing that is not due holds it up");
  assert(bench.scheduler.nextDueAt()! <= MUCH_LATER);
  bench.now = MUCH_LATER;
  await bench.change(null, bench.aJob({ priority: "low", readyAt: 0 }));
  bench.store.slow.add("list");
  assertEquals(bench.scheduler.take(bench.now), undefined, "the high one may be there");
  await settle();
  await bench.endReads();
  assert(await bench.take(bench.now) && await bench.take(bench.now));
  assertEquals([...bench.waiting.keys()], []);
});

for (const [kind, behind] of Object.entries({ "the few": 1, "all of the many": 10 })) {
  Deno.test(`${kind} that come behind jobs without a handler are chosen, and no job that was chosen before`, async () => {
    const sizes = { ...TINY, page: 4 };
    const bench = new Bench(sizes);
    const due = (count: number, place: Partial<JobState>) =>
      Array.from({ length: count }, () => bench.aJob({ readyAt: 5, ...place }));
    const first = due(2, {});
    const strange = due(2 * sizes.page, { jobType: STRANGE });
    const last = [...due(behind, {}), ...due(1, { priority: "low" })];
    await bench.write([...first, ...strange, ...last]);
    await bench.scheduler.load(["default"]);
    const chosen: (string | undefined)[] = [];
    // No start lands, so all of them are still on disk.
    for (let i = 0; i < 20; i++) {
      chosen.push(bench.scheduler.take(10));
      await settle();
    }
    assertEquals(chosen.filter((id) => id !== undefined), [...first, ...last].map(({ id }) => id));
  });
}
