import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { JOB_PRIORITIES, type JobPriority } from "../../src/actors/job/job.ts";
import { dueKey } from "../../src/actors/job/keys.ts";
import type { JobState } from "../../src/actors/job/state.ts";
import { JobScheduler } from "../../src/actors/job_scheduler.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { settle } from "../support/manual_clock.ts";
import { created, fold, started } from "./support/facts.ts";
import { SlowStore } from "./support/slow_store.ts";

const QUEUED = fold(created());
const encoder = new TextEncoder();
let jobs = 0;

interface Place {
  readonly priority?: JobPriority;
  readonly readyAt?: number;
  readonly queue?: string;
  readonly jobType?: string;
}

function job(place: Place = {}): JobState {
  return { ...QUEUED, readyAt: 0, id: `job-${String(++jobs).padStart(8, "0")}`, ...place };
}

const asStarted = (state: JobState): JobState => ({ ...state, phase: fold(created(), started(1)).phase });

/** A scheduler over rows in memory; what lands is on disk when it is told. */
class Bench {
  readonly store = new SlowStore(new MemoryStore());
  readonly errors: unknown[] = [];
  readonly scheduler = new JobScheduler({
    store: this.store,
    log: { find: () => Promise.resolve([]) },
    handles: (jobType) => jobType !== "unknown",
    jobTypes: () => ["echo"],
    read: () => Promise.resolve([]),
    now: () => Infinity,
    preload: async (find) => void await find(),
    onFound: () => {},
    onError: (error) => this.errors.push(error),
  });
  #versionstamp: string | null = null;

  async land(before: JobState | null, after: JobState): Promise<void> {
    await this.write([after], before ? [before] : []);
    this.tell([before, after]);
  }

  /** What becomes of each of these jobs, state by state, in one commit. */
  tell(...jobs: readonly (readonly [JobState | null, ...JobState[]])[]): void {
    this.scheduler.landed(jobs.flatMap(([first, ...states]) =>
      states.map((after, i) => ({
        change: { before: i === 0 ? first : states[i - 1]!, after },
        stream: after.id,
        events: [],
        landed: Promise.resolve(),
      }))
    ));
  }

  async write(added: readonly JobState[], removed: readonly JobState[] = []): Promise<void> {
    const queued = added.filter(({ phase }) => phase.startsWith("queued"));
    this.#versionstamp = await this.store.commit({
      check: { key: ["h"], versionstamp: this.#versionstamp },
      puts: [
        { key: ["h"], value: new Uint8Array() },
        ...queued.map((state) => ({ key: dueKey(state), value: encoder.encode(state.jobType) })),
      ],
      deletes: removed.map(dueKey).filter((key) =>
        !queued.some((state) => String(dueKey(state)) === String(key))
      ),
    });
  }
}

function takeAll(scheduler: JobScheduler, now: number): string[] {
  return Array.from({ length: 1_000 }, () => scheduler.take(now)).filter((id) => id !== undefined);
}

Deno.test("JobScheduler holds some thousands of jobs, however many queues they are of, and chooses all in order", async () => {
  const bench = new Bench();
  const all = Array.from(
    { length: 60 },
    (_, n) => Array.from({ length: 300 }, (_, q) => job({ queue: `q${q}`, readyAt: n })),
  ).flat();
  await bench.write(all);
  await bench.scheduler.load(new Set(all.map(({ queue }) => queue)));
  assert(bench.scheduler.atHand < 8_000, `${bench.scheduler.atHand} at hand`);
  const taken: string[] = [];
  while (taken.length < all.length) {
    const id = bench.scheduler.take(1_000);
    if (id === undefined) await settle();
    else taken.push(id);
  }
  assertEquals(taken, all.map(({ id }) => id));
  assert(bench.scheduler.atHand === 0);
});

Deno.test("JobScheduler takes the highest priority first, and the oldest first within it", async () => {
  const bench = new Bench();
  const places: Place[] = [
    { priority: "low", readyAt: 1 },
    { priority: "critical", readyAt: 4 },
    { priority: "normal", readyAt: 3 },
    { priority: "normal", readyAt: 2 },
    { priority: "high", readyAt: 5 },
  ];
  const states = places.map(job);
  for (const state of states) await bench.land(null, state);
  assertEquals(takeAll(bench.scheduler, 10), [1, 4, 3, 2, 0].map((i) => states[i]!.id));
});

Deno.test("JobScheduler takes the oldest of all queues, by the order of creation when they are equally old", async () => {
  const bench = new Bench();
  const states = ["b", "a", "c", "a"].map((queue) => job({ queue, readyAt: 7 }));
  for (const state of [...states].reverse()) await bench.land(null, state);
  assertEquals(takeAll(bench.scheduler, 7), states.map(({ id }) => id));
});

Deno.test("JobScheduler takes with every tenth choice the job that has waited longest, so that none starves", async () => {
  const bench = new Bench();
  const starving = job({ priority: "low", readyAt: 0 });
  await bench.land(null, starving);
  for (let i = 1; i <= 30; i++) await bench.land(null, job({ priority: "critical", readyAt: i }));
  assertEquals(takeAll(bench.scheduler, 100).indexOf(starving.id), 9);
});

Deno.test("JobScheduler takes nothing before its time and tells when the next is due", async () => {
  const bench = new Bench();
  assertEquals(bench.scheduler.nextDueAt(), undefined);
  const later = job({ readyAt: 2_000, priority: "critical" });
  await bench.land(null, later);
  await bench.land(null, job({ readyAt: 3_000 }));
  assertEquals([bench.scheduler.take(1_999), bench.scheduler.nextDueAt()], [undefined, 2_000]);
  assertEquals(bench.scheduler.take(2_000), later.id);
  assertEquals(bench.scheduler.nextDueAt(), 3_000);
});

Deno.test("JobScheduler follows a job that is changed while it waits, and forgets one that leaves", async () => {
  const bench = new Bench();
  const [moved, gone, stays] = [job(), job(), job({ readyAt: 5 })];
  for (const state of [moved, gone, stays]) await bench.land(null, state);
  await bench.land(moved, { ...moved, priority: "low" });
  await bench.land(gone, { ...gone, phase: "cancelled" });
  assertEquals(takeAll(bench.scheduler, 10), [stays.id, moved.id]);
});

Deno.test("JobScheduler puts a job that changes several times in one commit where it is in the end", async () => {
  const bench = new Bench();
  const [started, urgent, moved, gone, givenBack] = [job(), job(), job(), job(), job()];
  for (const state of [moved, gone, givenBack]) await bench.land(null, state);
  bench.tell(
    [null, started, asStarted(started)],
    [null, urgent, { ...urgent, priority: "critical" }],
    [moved, { ...moved, readyAt: 1 }, { ...moved, readyAt: 2 }],
    [gone, { ...gone, readyAt: 3 }, { ...gone, readyAt: 3, phase: "cancelled" }],
    [givenBack, asStarted(givenBack), { ...givenBack }],
  );
  assertEquals(takeAll(bench.scheduler, 9), [urgent.id, givenBack.id, moved.id]);
  bench.tell([givenBack, asStarted(givenBack), { ...givenBack }]);
  assertEquals(takeAll(bench.scheduler, 9), [givenBack.id], "it had been taken, and waits again");
});

Deno.test("JobScheduler passes over jobs whose handler is not there, and over those held until they are released", async () => {
  const bench = new Bench();
  const [unknown, held, free] = [job({ jobType: "unknown" }), job(), job()];
  for (const state of [unknown, held, free]) await bench.land(null, state);
  bench.scheduler.hold(held.id);
  assertEquals(takeAll(bench.scheduler, 0), [free.id]);
  assertEquals(bench.scheduler.nextDueAt(), undefined);
  bench.scheduler.release(held.id);
  assertEquals(takeAll(bench.scheduler, 0), [held.id]);
});

Deno.test("JobScheduler takes a job back whose start could not be written", async () => {
  const bench = new Bench();
  const state = job();
  await bench.land(null, state);
  assertEquals(bench.scheduler.take(0), state.id);
  assertEquals(bench.scheduler.take(0), undefined);
  bench.scheduler.giveBack(state);
  assertEquals(bench.scheduler.take(0), state.id);
});

Deno.test("JobScheduler lets a new job go first only when nothing due waits, in memory or on disk", async () => {
  const bench = new Bench();
  assert(bench.scheduler.wouldBeNext(0));
  const waiting = job({ priority: "low", readyAt: 5 });
  await bench.land(null, waiting);
  assertEquals([bench.scheduler.wouldBeNext(4), bench.scheduler.wouldBeNext(5)], [true, false]);

  bench.store.slow.add("list");
  const loaded = bench.scheduler.load(["default"]);
  assertEquals(bench.scheduler.wouldBeNext(5), false);
  bench.store.slow.clear();
  while (bench.store.waiting > 0) bench.store.release();
  await loaded;
  assertEquals(bench.scheduler.take(5), waiting.id);
  assert(bench.scheduler.wouldBeNext(5));
});

Deno.test("JobScheduler reads 12,000 jobs of three queues from disk in the order of choice", async () => {
  const bench = new Bench();
  const states = Array.from({ length: 12_000 }, (_, i) =>
    job({
      queue: ["a", "b", "c"][i % 3]!,
      priority: i % 7 === 0 ? "high" : "normal",
      readyAt: i % 5 === 0 ? 1_000 : i,
    }));
  await bench.write(states);
  await bench.scheduler.load(["a", "b", "c", "a"]);
  const taken = await playOut(bench, states, 20_000);
  assertEquals(taken, modelOrder(states));
});

/** Takes all, letting reads end in between; a job that is taken leaves the disk. */
async function playOut(bench: Bench, states: readonly JobState[], now: number): Promise<string[]> {
  const byId = new Map(states.map((state) => [state.id, state]));
  const taken: string[] = [];
  for (let id; (id = bench.scheduler.take(now)) !== undefined;) {
    taken.push(id);
    await bench.land(byId.get(id)!, asStarted(byId.get(id)!));
    if (taken.length % 100 === 0) await settle();
  }
  return taken;
}

const oldestFirst = (a: JobState, b: JobState) => a.readyAt - b.readyAt || (a.id < b.id ? -1 : 1);

function bestOf(due: readonly JobState[], choice: number): JobState | undefined {
  if (choice % 10 === 0) return [...due].sort(oldestFirst)[0];
  const rank = (state: JobState) => JOB_PRIORITIES.indexOf(state.priority);
  return [...due].sort((a, b) => rank(b) - rank(a) || oldestFirst(a, b))[0];
}

/** The rule, said simply: sorted lists of all that waits. */
function modelOrder(states: readonly JobState[]): string[] {
  const byAge = [...states].sort(oldestFirst);
  const rank = (state: JobState) => -JOB_PRIORITIES.indexOf(state.priority);
  const byRank = [...states].sort((a, b) => rank(a) - rank(b) || oldestFirst(a, b));
  const gone = new Set<string>();
  const next = (list: JobState[]) => {
    while (gone.has(list[0]!.id)) list.shift();
    return list.shift()!.id;
  };
  return states.map((_, i) => {
    const id = next((i + 1) % 10 === 0 ? byAge : byRank);
    gone.add(id);
    return id;
  });
}

type Deed =
  | { readonly type: "create"; readonly place: Place }
  | { readonly type: "change"; readonly which: number; readonly place: Place }
  | { readonly type: "cancel" | "hold"; readonly which: number }
  | { readonly type: "take" | "reload" }
  | { readonly type: "wait"; readonly ms: number };

const anyPlace = fc.record({
  priority: fc.constantFrom(...JOB_PRIORITIES),
  queue: fc.constantFrom("a", "b"),
  readyAt: fc.integer({ min: 0, max: 50 }),
});
const which = fc.nat();
const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant("create" as const), place: anyPlace }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("change" as const), which, place: anyPlace }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("cancel" as const, "hold" as const), which }) },
  { weight: 9, arbitrary: fc.constant({ type: "take" as const }) },
  { weight: 1, arbitrary: fc.constant({ type: "reload" as const }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.integer({ min: -5, max: 10 }) }),
  },
);

Deno.test("JobScheduler chooses as a sorted list of all that waits would, whatever lands in between", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyDeed, { minLength: 10, maxLength: 120 }), async (deeds) => {
      const bench = new Bench();
      const waiting = new Map<string, JobState>();
      const held = new Set<string>();
      const pick = (n: number) => [...waiting.values()][n % waiting.size]!;
      let [now, choices] = [10, 0];
      for (const deed of deeds) {
        if (deed.type === "wait") now += deed.ms;
        if (deed.type === "reload") await bench.scheduler.load(["a", "b"]);
        if (deed.type === "create") {
          const state = job(deed.place);
          waiting.set(state.id, state);
          await bench.land(null, state);
        }
        if ("which" in deed && waiting.size > 0) {
          const state = pick(deed.which);
          if (deed.type === "hold") {
            if (held.delete(state.id)) bench.scheduler.release(state.id);
            else bench.scheduler.hold((held.add(state.id), state.id));
          } else {
            const after: JobState = deed.type === "change"
              ? { ...state, ...deed.place as Partial<JobState> }
              : { ...state, phase: "cancelled" };
            if (deed.type === "change") waiting.set(state.id, after);
            else waiting.delete(state.id);
            await bench.land(state, after);
          }
        }
        const free = [...waiting.values()].filter(({ id }) => !held.has(id));
        const due = free.filter(({ readyAt }) => readyAt <= now);
        assertEquals(bench.scheduler.wouldBeNext(now), due.length === 0);
        const next = free.length === 0 ? undefined : Math.min(...free.map(({ readyAt }) => readyAt));
        assertEquals(bench.scheduler.nextDueAt(), next);
        if (deed.type === "take") {
          const expected = bestOf(due, choices + 1);
          assertEquals(bench.scheduler.take(now), expected?.id);
          if (!expected) continue;
          choices += 1;
          waiting.delete(expected.id);
          await bench.land(expected, asStarted(expected));
        }
      }
    }),
    { numRuns: 150 },
  );
});
