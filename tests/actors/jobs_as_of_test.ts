/**
 * What was at any moment is what a log that ends there shows.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { MomentError, NotThenError } from "../../src/actors/errors.ts";
import type { Job } from "../../src/actors/job/job.ts";
import { JobsAsOf } from "../../src/actors/jobs_as_of.ts";
import type { JobFilter } from "../../src/actors/jobs.ts";
import { repair } from "../../src/audit/repair.ts";
import { replay } from "../../src/audit/replay.ts";
import { decodeEvent } from "../../src/events/event.ts";
import { readEvents, toPages } from "../../src/events/event_page.ts";
import { decodeHead, encodeHead, headKey } from "../../src/events/head.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { Store } from "../../src/events/store.ts";
import { anyLog, storeOf } from "../audit/support/random_log.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { logOfJobs } from "./support/log_of_jobs.ts";

const STEPS = fc.sample(anyLog, { numRuns: 1, seed: 11 })[0]!;

async function asOfIn(store: Store, now: number) {
  const parts = await logOfJobs({ store, clock: new ManualClock() });
  return { ...parts, asOf: new JobsAsOf({ ...parts, now: () => now }) };
}

/** The store as it would be if the log ended after so many events. */
async function cutStore(store: Store, count: number): Promise<Store> {
  const bytes = (await readEvents(store, 0, 0, 1e6)).slice(0, count);
  const events = bytes.map((each) => ({ event: decodeEvent(each), bytes: each }));
  const head = decodeHead((await store.get(headKey(0))).value!);
  const cut = new MemoryStore();
  const value = encodeHead({ ...head, position: count, time: Date.parse(events.at(-1)!.event.time) });
  await cut.commit({
    check: { key: headKey(0), versionstamp: null },
    puts: [...toPages(events), { key: headKey(0), value }],
    deletes: [],
  });
  await repair(cut, await replay(cut));
  return cut;
}

async function allAsOf(asOf: JobsAsOf, filter: JobFilter, at: number, limit: number): Promise<Job[]> {
  const jobs: Job[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await asOf.list(filter, at, { limit, ...after !== undefined && { after } });
    assert(page.jobs.length <= limit);
    jobs.push(...page.jobs);
    if (page.next === undefined) return jobs;
    after = page.next;
  }
}

Deno.test("at any moment of any log, lists and jobs are what a log that ends there shows", async () => {
  const anyFilter: fc.Arbitrary<JobFilter> = fc.oneof(
    fc.constant({}),
    fc.constantFrom("queued", "processing", "completed", "failed", "cancelled").map((status) =>
      ({ status }) as JobFilter
    ),
    fc.constantFrom("mail", "default").map((queue) => ({ queue })),
    fc.constant({ tag: "blue" }),
  );
  await fc.assert(
    fc.asyncProperty(
      anyLog,
      fc.nat(),
      anyFilter,
      fc.integer({ min: 1, max: 9 }),
      async (steps, n, filter, limit) => {
        const { store, now } = await storeOf(steps);
        const times = (await readEvents(store, 0, 0, 1e6)).map((bytes) =>
          Date.parse(decodeEvent(bytes).time)
        );
        fc.pre(times.length > 0);
        const at = times[n % times.length]!;
        const count = times.filter((time) => time <= at).length;
        const { asOf } = await asOfIn(store, now);
        const { queries } = await asOfIn(await cutStore(store, count), now);
        const wanted = (await queries.list(filter, { limit: 1_000 })).jobs;
        assertEquals(await allAsOf(asOf, filter, at, limit), wanted);
        for (const job of wanted) assertEquals(await asOf.get(job.id, at), job);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("a job that was deleted since is shown as it was, and told from one that was not there yet or no more", async () => {
  const { store, now } = await storeOf(STEPS);
  const events = (await readEvents(store, 0, 0, 1e6)).map(decodeEvent);
  const deleted = events.find(({ type }) => type === "job.deleted")!;
  const id = deleted.stream.slice("job/".length);
  const created = events.find(({ stream }) => stream === deleted.stream)!;
  const { asOf, queries } = await asOfIn(store, now);
  assertEquals(await queries.get(id), undefined);
  assertEquals((await asOf.get(id, Date.parse(created.time))).status, "queued");
  await assertRejects(() => asOf.get(id, now), NotThenError, `was deleted by then, at ${deleted.time}`);
  const late = events.findLast(({ type, time }) => type === "job.created" && time > events[0]!.time)!;
  const lateId = late.stream.slice("job/".length);
  await assertRejects(() => asOf.get(lateId, Date.parse(events[0]!.time)), NotThenError, "was not there yet");
});

Deno.test("a moment before the log began and one that has not come are refused", async () => {
  const { store, now } = await storeOf(STEPS);
  const [first] = (await readEvents(store, 0, 0, 1)).map(decodeEvent);
  const { asOf } = await asOfIn(store, now);
  const before = Date.parse(first!.time) - 1;
  await assertRejects(
    () => asOf.list({}, before, { limit: 9 }),
    MomentError,
    `before the log began, at ${first!.time}`,
  );
  await assertRejects(() => asOf.list({}, now + 1, { limit: 9 }), MomentError, "has not come yet");
  const empty = await asOfIn(new MemoryStore(), now);
  await assertRejects(() => empty.asOf.list({}, now, { limit: 9 }), MomentError, "before the log began");
});
