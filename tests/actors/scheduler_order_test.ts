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

const TINY = { page: 3, low: 2, high: 6 };
const QUEUES = ["a", "b"];
const RUNNING = fold(created(), started(1)).phase;

class Bench extends WaitingOnDisk {
  readonly errors: unknown[] = [];
  readonly waiting = new Map<string, JobState>();
  readonly held = new Set<string>();
  readonly scheduler: JobScheduler;
  #jobs = 0;
  choices = 0;

  constructor(sizes?: typeof TINY) {
    super();
    this.scheduler = new JobScheduler({
      store: this.store,
      log: this.log,
      handles: () => true,
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
    const due = [...this.waiting.values()].filter(({ id, readyAt }) => readyAt <= now && !this.held.has(id));
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
    if (!expected) return false;
    this.choices += 1;
    await this.change(expected, { ...expected, phase: RUNNING });
    return true;
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
  readyAt: fc.integer({ min: 0, max: 20 }),
}, { requiredKeys: ["priority", "queue"] });
const which = fc.nat();
const anyDeed = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant("create" as const), place: anyPlace }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("change" as const), which, place: anyPlace }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("cancel" as const, "hold" as const), which }) },
  { weight: 10, arbitrary: fc.record({ type: fc.constant("take" as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("lose a start" as const) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant("end a read" as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.nat({ max: 10 }) }) },
);

Deno.test("the order of choice holds across memory and disk, whatever lands while reads are under way", async () => {
  const stock = fc.array(anyPlace, { maxLength: 60 });
  const deeds = fc.array(anyDeed, { minLength: 20, maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(stock, deeds, async (places, deeds) => {
      const bench = new Bench(TINY);
      const stored = places.map((place) => bench.aJob(place));
      for (const state of stored) bench.waiting.set(state.id, state);
      await bench.write(stored);
      await bench.scheduler.load(QUEUES);
      bench.store.slow.add("list");
      let now = 5;
      for (const deed of deeds) {
        const of = (n: number) => [...bench.waiting.values()][n % bench.waiting.size];
        if (deed.type === "create") await bench.change(null, bench.aJob(deed.place));
        else if (deed.type === "wait") now += deed.ms;
        else if (deed.type === "take") await bench.take(now);
        else if (deed.type === "end a read") {
          if (bench.store.waiting > 0) bench.store.release();
          await settle();
        } else if (deed.type === "lose a start") {
          const id = bench.scheduler.take(now);
          if (id === undefined) continue;
          assertEquals(id, bench.expected(now)?.id);
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
      for (let idle = 0; bench.waiting.size > 0; idle++) {
        assert(idle < 3, "nothing is taken any more although jobs wait");
        await bench.endReads();
        while (await bench.take(1_000)) idle = 0;
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
