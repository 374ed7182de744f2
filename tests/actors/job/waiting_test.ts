import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import fc from "fast-check";
import { Bitmap, POSITIONS_PER_BITMAP } from "../../../src/actors/job/bitmaps.ts";
import { lowestJobId, positionIn } from "../../../src/actors/job/id.ts";
import { JOB_PRIORITIES } from "../../../src/actors/job/job.ts";
import type { JobState } from "../../../src/actors/job/state.ts";
import { WaitingJobs, waitingPlace } from "../../../src/actors/job/waiting.ts";
import { MemoryStore } from "../../../src/events/memory_store.ts";
import type { StoreEntry } from "../../../src/events/store.ts";
import { CountingStore } from "../support/counting_store.ts";
import { created, fold } from "../support/facts.ts";
import { SlowStore } from "../support/slow_store.ts";
import { whenReady } from "../support/when_ready.ts";

const QUEUED = fold(created());
const TIME = 1_000;

function jobAt(position: number, fields: Partial<JobState> = {}): JobState {
  return { ...QUEUED, readyAt: TIME, positions: [position], ...fields, id: lowestJobId(TIME, position) };
}

interface Change {
  readonly before: JobState | null;
  readonly after: JobState;
}

const creation = (after: JobState): Change => ({ before: null, after });
const departure = (before: JobState): Change => ({ before, after: { ...before, phase: "cancelled" } });

class Bench {
  readonly memory = new MemoryStore();
  readonly store = new CountingStore(this.memory);
  waiting: WaitingJobs;
  #versionstamp: string | null = null;

  constructor(readonly kept?: number) {
    this.waiting = new WaitingJobs(this.store, kept);
  }

  async commit(changes: readonly Change[], lands = true): Promise<void> {
    const { puts, deletes } = await whenReady(() => this.waiting.project(changes));
    if (!lands) return;
    const head = { key: ["h"], value: new Uint8Array() };
    this.#versionstamp = await this.memory.commit({
      check: { key: ["h"], versionstamp: this.#versionstamp },
      puts: [...puts, head],
      deletes,
    });
    this.waiting.landed();
  }

  async overwrite(entry: StoreEntry): Promise<void> {
    const check = { key: ["h"], versionstamp: this.#versionstamp };
    this.#versionstamp = await this.memory.commit({
      check,
      puts: [entry, { key: ["h"], value: new Uint8Array() }],
      deletes: [],
    });
  }

  restart(position: number): void {
    this.waiting = new WaitingJobs(this.store, this.kept);
    this.waiting.load(position);
  }

  entries(): Promise<StoreEntry[]> {
    return this.memory.list({ prefix: ["w"] }, { limit: Number.MAX_SAFE_INTEGER });
  }
}

Deno.test("a job waits since its creation until it is started, ends or is moved to another time", () => {
  const job = jobAt(7, { queue: "mail", priority: "high", jobType: "send" });
  assertEquals(waitingPlace(job), { queue: "mail", rank: 2, jobType: "send", position: 7 });
  assertEquals(waitingPlace({ ...job, readyAt: TIME + 1 }), undefined);
  assertEquals(waitingPlace({ ...job, phase: "completed" }), undefined);
  assertEquals(waitingPlace({ ...job, positions: [8] }), undefined, "its id leads to another event");
});

Deno.test("jobs of one queue, priority and type share an entry with those within 512 positions", async () => {
  const bench = new Bench();
  const last = POSITIONS_PER_BITMAP - 1;
  await bench.commit([0, 9, last, last + 1].map((position) => creation(jobAt(position))));
  assertEquals((await bench.entries()).map((entry) => [entry.key, Bitmap.fromEntry(entry).positions()]), [
    [["w", QUEUED.queue, 1, 0, QUEUED.jobType], [0, 9, last]],
    [["w", QUEUED.queue, 1, 1, QUEUED.jobType], [last + 1]],
  ]);
});

Deno.test("an entry is hexadecimal digits in quotes, and goes with the last of its jobs", async () => {
  const bench = new Bench();
  const jobs = [0, 1, 12].map((position) => jobAt(position));
  await bench.commit(jobs.map(creation));
  const [entry] = await bench.entries();
  assertEquals(new TextDecoder().decode(entry!.value), `"${"0310".padEnd(128, "0")}"`);
  await bench.commit(jobs.map(departure));
  assertEquals(await bench.entries(), []);
});

Deno.test("nothing is read for jobs that are created, and a bitmap of before the start once", async () => {
  const bench = new Bench();
  const jobs = Array.from({ length: 600 }, (_, position) => jobAt(position));
  const { requests } = await bench.store.during(async () => {
    for (const job of jobs) await bench.commit([creation(job)]);
    for (const job of jobs.slice(0, 100)) await bench.commit([departure(job)]);
  });
  assertEquals(requests, 0);
  bench.restart(600);
  const later = await bench.store.during(async () => {
    for (const job of jobs.slice(100)) await bench.commit([departure(job)]);
    for (let position = 600; position < 700; position++) await bench.commit([creation(jobAt(position))]);
  });
  assertEquals(later.requests, 2);
  assertEquals((await bench.entries()).length, 1);
});

Deno.test("what a lost commit would have changed stays as it was", async () => {
  const bench = new Bench();
  const [first, second] = [jobAt(1), jobAt(2)];
  await bench.commit([creation(first)]);
  await bench.commit([departure(first), creation(second)], false);
  await bench.commit([creation(second)]);
  const [entry] = await bench.entries();
  assertEquals(Bitmap.fromEntry(entry!).positions(), [1, 2]);
});

Deno.test("an entry that is no bitmap is refused with what to do, not taken for one", async () => {
  for (const text of ["", "{", "null", "[31]", '"1f"', `"${"ff".repeat(65)}"`, `"${"0g".repeat(64)}"`]) {
    const bench = new Bench();
    const job = jobAt(1);
    await bench.commit([creation(job)]);
    const [entry] = await bench.entries();
    await bench.overwrite({ key: entry!.key, value: new TextEncoder().encode(text) });
    bench.restart(2);
    await assertRejects(() => bench.commit([departure(job)]), Error, "deno task audit replay --repair", text);
  }
});

Deno.test("an answer that comes after it was asked again does not undo what has landed since", async () => {
  const bench = new Bench();
  const jobs = [0, 1, 2].map((position) => jobAt(position));
  await bench.commit(jobs.map(creation));
  bench.restart(3);
  const slow = new SlowStore(bench.memory);
  slow.slow.add("getMany");
  bench.waiting = new WaitingJobs(slow);
  bench.waiting.load(3);
  const late = bench.waiting.project([departure(jobs[0]!)]);
  slow.slow.clear();
  await bench.commit([departure(jobs[0]!)]);
  slow.release();
  await late;
  await bench.commit([departure(jobs[1]!)]);
  const [entry] = await bench.entries();
  assertEquals(Bitmap.fromEntry(entry!).positions(), [2]);
});

Deno.test("who waits beside a job that leaves is read before, not forgotten", async () => {
  const bench = new Bench();
  const [first, second] = [jobAt(1), jobAt(2)];
  await bench.commit([creation(first), creation(second)]);
  bench.restart(3);
  assertInstanceOf(bench.waiting.project([creation(jobAt(3)), departure(first)]), Promise);
  await bench.commit([creation(jobAt(3)), departure(first)]);
  const [entry] = await bench.entries();
  assertEquals(Bitmap.fromEntry(entry!).positions(), [2, 3]);
});

Deno.test("the entries say which jobs wait, however they come and go, across starts and lost commits, few of them in memory", async () => {
  const fields = fc.record({
    queue: fc.constantFrom("a", "b"),
    priority: fc.constantFrom(...JOB_PRIORITIES),
    jobType: fc.constantFrom("x", "y"),
  });
  const deed = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ type: fc.constant("create" as const), fields, skip: fc.nat({ max: 900 }) }),
    },
    { weight: 3, arbitrary: fc.record({ type: fc.constant("leave" as const), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("move" as const), which: fc.nat(), fields }) },
    { weight: 1, arbitrary: fc.constant({ type: "restart" as const }) },
  );
  await fc.assert(fc.asyncProperty(
    fc.array(fc.record({ deeds: fc.array(deed, { maxLength: 8 }), lands: fc.boolean() }), { maxLength: 30 }),
    fc.integer({ min: 1, max: 5 }),
    async (commits, kept) => {
      const bench = new Bench(kept);
      let waiting = new Map<number, JobState>();
      let next = 0;
      for (const { deeds, lands } of commits) {
        const changes = new Map<number, Change>();
        const now = new Map(waiting);
        let end = next;
        for (const each of deeds) {
          if (each.type === "restart") {
            // Nothing is staged when a process begins.
            if (changes.size === 0) bench.restart(next);
          } else if (each.type === "create") {
            end += each.skip;
            const job = jobAt(end, each.fields);
            now.set(end, job);
            changes.set(end++, creation(job));
          } else if (now.size > 0) {
            const [position, job] = [...now][each.which % now.size]!;
            const before = changes.get(position)?.before ?? (changes.has(position) ? null : job);
            const after = each.type === "leave"
              ? { ...job, phase: "cancelled" as const }
              : { ...job, ...each.fields, jobType: job.jobType };
            if (each.type === "leave") now.delete(position);
            else now.set(position, after);
            changes.set(position, { before, after });
          }
        }
        await bench.commit([...changes.values()], lands);
        if (!lands) continue;
        waiting = now;
        next = end;
        const places = (await bench.entries()).flatMap((entry) => {
          const [, queue, rank, , jobType] = entry.key;
          return Bitmap.fromEntry(entry).positions().map((position) => ({ queue, rank, jobType, position }));
        });
        const order = (a: { position: number }, b: { position: number }) => a.position - b.position;
        assertEquals(
          places.sort(order),
          [...waiting.values()].map((job) => ({
            queue: job.queue,
            rank: JOB_PRIORITIES.indexOf(job.priority),
            jobType: job.jobType,
            position: positionIn(job.id),
          })).sort(order),
        );
      }
    },
  ));
});
