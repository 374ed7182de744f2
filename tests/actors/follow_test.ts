import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { EventEnvelope } from "../../src/events/event.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { settle } from "../support/manual_clock.ts";
import { aSpec } from "./support/facts.ts";
import { type LogOfJobs, logOfJobs, TESTER } from "./support/log_of_jobs.ts";
import { SlowStore } from "./support/slow_store.ts";
import { runtimeTest } from "./support/test_runtime.ts";

/** A reader that takes events as the test lets it. */
class Reader {
  readonly versions: number[] = [];
  readonly types: string[] = [];
  readonly left = new AbortController();
  over = false;
  readonly #events: AsyncIterator<EventEnvelope>;

  constructor({ queries }: Pick<LogOfJobs, "queries">, id: string, after = 0) {
    this.#events = queries.follow(id, after, this.left.signal)[Symbol.asyncIterator]();
  }

  /** Takes up to `count` events, fewer when no more are there. */
  async take(count: number): Promise<void> {
    for (let i = 0; i < count && !this.over; i++) {
      if (!await this.#takeOne()) return;
    }
  }

  #next: Promise<IteratorResult<EventEnvelope>> | undefined;

  async #takeOne(): Promise<boolean> {
    const next = this.#next ??= this.#events.next();
    const answered = await Promise.race([next, settle()]);
    if (!answered) return false;
    this.#next = undefined;
    if (answered.done) this.over = true;
    else {
      this.versions.push(answered.value.version);
      this.types.push(answered.value.type);
    }
    return true;
  }
}

function jobOf({ processor, newJobId }: LogOfJobs): string {
  const id = newJobId();
  processor.stage(id, null, { type: "create", spec: aSpec(), idempotency: null }, TESTER);
  return id;
}

function change({ processor, states }: LogOfJobs, id: string, times = 1): void {
  for (let i = 0; i < times; i++) {
    processor.stage(id, states.peek(id)!, { type: "update", changes: { timeout_seconds: 1 } }, TESTER);
  }
}

const upTo = (count: number, after = 0) => Array.from({ length: count - after }, (_, i) => after + i + 1);

Deno.test("follow() gives a job's history and then every event as it is committed", async () => {
  const jobs = await logOfJobs();
  const id = jobOf(jobs);
  change(jobs, id, 2);
  await jobs.log.drain();
  const reader = new Reader(jobs, id);
  await reader.take(10);
  assertEquals(reader.versions, [1, 2, 3]);
  change(jobs, id);
  assertEquals(reader.versions.length, 3);
  await reader.take(10);
  assertEquals(reader.versions, [1, 2, 3, 4]);
  reader.left.abort();
  await reader.take(1);
  assert(reader.over);
});

Deno.test("follow() shows each event once and in order, whatever lands while it reads and its reader dawdles", async () => {
  const anyDeed = fc.oneof(
    fc.record({ type: fc.constant("change" as const), times: fc.integer({ min: 1, max: 200 }) }),
    fc.record({ type: fc.constant("take" as const), times: fc.integer({ min: 1, max: 700 }) }),
    fc.record({ type: fc.constant("flush" as const), times: fc.constant(0) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 1_200 }),
      fc.nat({ max: 1_300 }),
      fc.array(anyDeed, { maxLength: 15 }),
      async (before, after, deeds) => {
        const jobs = await logOfJobs();
        const id = jobOf(jobs);
        change(jobs, id, before);
        await jobs.log.drain();
        const reader = new Reader(jobs, id, after);
        let events = before + 1;
        for (const { type, times } of deeds) {
          if (type === "change") {
            change(jobs, id, times);
            events += times;
          }
          if (type === "take") await reader.take(times);
          if (type === "flush") await jobs.log.drain();
        }
        await jobs.log.drain();
        await reader.take(10_000);
        assertEquals(reader.versions, after >= events ? [] : upTo(events, after));
        reader.left.abort();
        await reader.take(1);
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("follow() ends when its job is deleted, with that as the last event", async () => {
  const jobs = await logOfJobs();
  const id = jobOf(jobs);
  const reader = new Reader(jobs, id);
  await jobs.log.drain();
  await reader.take(1);
  for (const type of ["cancel", "delete"] as const) await jobs.processor.execute(id, { type }, TESTER);
  await reader.take(10);
  assertEquals([reader.types, reader.over], [["job.created", "job.cancelled", "job.deleted"], true]);
});

Deno.test("follow() leaves nothing out of a long history whose job is deleted while it is read", async () => {
  const jobs = await logOfJobs();
  const id = jobOf(jobs);
  change(jobs, id, 1_999);
  await jobs.log.drain();
  const reader = new Reader(jobs, id);
  await reader.take(10);
  for (const type of ["cancel", "delete"] as const) await jobs.processor.execute(id, { type }, TESTER);
  await reader.take(5_000);
  assertEquals([reader.versions, reader.over], [upTo(2_002), true]);
});

Deno.test("follow() ends at once for a job that is not there or was deleted", async () => {
  const jobs = await logOfJobs();
  const id = jobOf(jobs);
  await jobs.log.drain();
  for (const type of ["cancel", "delete"] as const) await jobs.processor.execute(id, { type }, TESTER);
  for (const job of [id, jobs.newJobId()]) {
    const reader = new Reader(jobs, job);
    await reader.take(1);
    assertEquals([reader.versions, reader.over], [[], true]);
  }
});

Deno.test("follow() stops when its signal fires, before, while and after it reads", async () => {
  const inner = new MemoryStore();
  const store = new SlowStore(inner);
  const jobs = await logOfJobs({ store });
  const id = jobOf(jobs);
  change(jobs, id, 9);
  await jobs.log.drain();
  const before = new Reader(jobs, id);
  before.left.abort();
  const midway = new Reader(jobs, id);
  await midway.take(3);
  midway.left.abort();
  store.slow.add("getMany");
  const reading = new Reader(jobs, id);
  await reading.take(1);
  reading.left.abort();
  store.slow.clear();
  while (store.waiting > 0) store.release();
  for (const reader of [before, midway, reading]) await reader.take(20);
  assertEquals([before.over, midway.over, reading.over], [true, true, true]);
  assertEquals([before.versions, midway.versions.length, reading.versions], [[], 3, []]);
});

runtimeTest("waitUntilFinal() answers as soon as the job is final", {}, async (test) => {
  const { signal } = new AbortController();
  const id = await test.create();
  const timers = test.clock.pending;
  const waiting = test.queries.waitUntilFinal(id, 60_000, signal);
  assertEquals(test.clock.pending, timers + 1);
  await test.clock.advanceAsync(5_000);
  test.runOf(id).resolve({ done: true });
  assertEquals((await waiting)?.status, "completed");
  assertEquals((await test.queries.waitUntilFinal(id, 60_000, signal))?.result, { done: true });
  assertEquals(test.clock.pending, timers);
});

runtimeTest(
  "waitUntilFinal() answers with the job as it is after its time, or when its caller has gone",
  {},
  async (test) => {
    const id = await test.create();
    const gone = new AbortController();
    const [patient, impatient] = [
      test.queries.waitUntilFinal(id, 30_000, new AbortController().signal),
      test.queries.waitUntilFinal(id, 30_000, gone.signal),
    ];
    await settle();
    gone.abort();
    assertEquals((await impatient)?.status, "processing");
    await test.clock.advanceAsync(30_000);
    assertEquals((await patient)?.status, "processing");
    assertEquals((await test.queries.waitUntilFinal(id, 30_000, AbortSignal.abort()))?.status, "processing");
  },
);

runtimeTest("waitUntilFinal() has no answer for a job that is not there, or goes while it waits", {
  concurrency: 1,
}, async (test) => {
  const { signal } = new AbortController();
  assertEquals(
    await test.queries.waitUntilFinal("019b9808-7aa0-7000-8000-000000000009", 1_000, signal),
    undefined,
  );
  const id = await test.create();
  test.runOf(id).resolve();
  await settle();
  await test.commands.delete(id, TESTER);
  assertEquals(await test.queries.waitUntilFinal(id, 1_000, signal), undefined);
});
