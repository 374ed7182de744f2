import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { JOB_PRIORITIES, JOB_STATUSES } from "../../src/actors/job/job.ts";
import { evolve } from "../../src/actors/job/evolve.ts";
import { statusOf } from "../../src/actors/job/state.ts";
import type { JobState } from "../../src/actors/job/state.ts";
import type { JobFilter } from "../../src/actors/jobs.ts";
import { SCAN_LIMIT } from "../../src/actors/job_list.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { CountingStore } from "./support/counting_store.ts";
import { aSpec } from "./support/facts.ts";
import { type LogOfJobs, logOfJobs, TESTER } from "./support/log_of_jobs.ts";
import { runtimeTest } from "./support/test_runtime.ts";

const QUEUES = ["default", "mail", "constructor"];
const TYPES = ["echo", "report"];
const TAGS = ["red", "green", "blue"];

/** Jobs of every status, queue, type, priority and tag, a second apart, some of them changed after their creation. */
async function manyJobs(count: number, queues: readonly string[] = QUEUES): Promise<LogOfJobs> {
  const jobs = await logOfJobs();
  const { processor, states, clock, newJobId, log } = jobs;
  const done = { type: "completed", result: null } as const;
  const broken = { type: "failed", errorMessage: "Error: no luck", retryable: false } as const;
  for (let i = 0; i < count; i++) {
    const id = newJobId();
    const spec = aSpec({
      queue: queues[i % queues.length]!,
      job_type: TYPES[(i >> 1) % 2]!,
      priority: JOB_PRIORITIES[(i * 7) % 4]!,
      tags: TAGS.filter((_, bit) => (i * 5) & (1 << bit)),
    });
    processor.stage(id, null, { type: "create", spec, idempotency: null }, TESTER);
    const tell = (command: Parameters<typeof processor.stage>[2]) =>
      processor.stage(id, states.peek(id)!, command, TESTER);
    if (i % 13 === 5) tell({ type: "update", changes: { queue: queues[(i + 1) % queues.length]! } });
    if (i % 17 === 3) tell({ type: "update", changes: { payload: { changed: true } } });
    const fate = (i * 11) % 7;
    if (fate >= 2) tell({ type: "start" });
    if (fate === 3) tell({ type: "settle", attempt: 1, outcome: done, progress: null });
    if (fate === 4) tell({ type: "settle", attempt: 1, outcome: broken, progress: null });
    if (fate === 5) tell({ type: "cancel" });
    if (fate === 1) tell({ type: "cancel" });
    if (fate === 6) {
      tell({ type: "settle", attempt: 1, outcome: done, progress: null });
      tell({ type: "delete" });
    }
    if (i % 20 === 0) await log.drain();
    clock.jump(1_000);
  }
  await log.drain();
  return jobs;
}

/** The jobs that are there, folded from the log. */
async function allJobs({ log }: LogOfJobs): Promise<JobState[]> {
  const jobs = new Map<string, JobState>();
  for (const stored of await log.read(0, 100_000)) {
    const { stream } = stored.event;
    jobs.set(stream, evolve(jobs.get(stream) ?? null, stored)!);
  }
  return [...jobs.values()].filter(({ phase }) => phase !== "deleted");
}

/** What the list must show of these rows. */
function naive(rows: readonly JobState[], filter: JobFilter): string[] {
  return rows.filter((state) =>
    (filter.status === undefined || statusOf(state.phase) === filter.status) &&
    (filter.job_type === undefined || state.jobType === filter.job_type) &&
    (filter.queue === undefined || state.queue === filter.queue) &&
    (filter.priority === undefined || state.priority === filter.priority) &&
    (filter.tag === undefined || state.tags.includes(filter.tag)) &&
    (filter.createdAfter === undefined || state.createdAt > filter.createdAfter) &&
    (filter.createdBefore === undefined || state.createdAt < filter.createdBefore)
  ).map(({ id }) => id).sort().reverse();
}

async function listed({ queries }: LogOfJobs, filter: JobFilter, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let after: string | undefined;
  for (;;) {
    const { jobs, next } = await queries.list(filter, { limit, ...(after !== undefined && { after }) });
    assert(jobs.length <= limit);
    ids.push(...jobs.map(({ id }) => id));
    if (next === undefined) return ids;
    after = next;
  }
}

const all = <T>(values: readonly T[]): (T | undefined)[] => [undefined, ...values];

Deno.test("list() shows what every filter names and nothing else, newest first, in every combination", async () => {
  const jobs = await manyJobs(300);
  const rows = await allJobs(jobs);
  for (const status of all(JOB_STATUSES)) {
    for (const queue of all([...QUEUES, "none"])) {
      for (const job_type of all([...TYPES, "none"])) {
        for (const priority of all(JOB_PRIORITIES)) {
          for (const tag of all([...TAGS, "none"])) {
            const filter: JobFilter = {
              ...(status !== undefined && { status }),
              ...(queue !== undefined && { queue }),
              ...(job_type !== undefined && { job_type }),
              ...(priority !== undefined && { priority }),
              ...(tag !== undefined && { tag }),
            };
            assertEquals(await listed(jobs, filter, 500), naive(rows, filter), JSON.stringify(filter));
          }
        }
      }
    }
  }
});

const optional = <T>(values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });

/** Pages of any size, for any filter of these fields and any range of time, are what the list must show. */
async function assertPages(
  jobs: LogOfJobs,
  fields: Record<string, fc.Arbitrary<string | undefined>>,
  numRuns: number,
): Promise<void> {
  const rows = await allJobs(jobs);
  const end = jobs.clock.now();
  const time = fc.option(fc.integer({ min: end - 320_000, max: end + 10_000 }), { nil: undefined });
  const anyFilter = fc.record({ ...fields, createdAfter: time, createdBefore: time }).map((said) =>
    Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as JobFilter
  );
  await fc.assert(
    fc.asyncProperty(anyFilter, fc.integer({ min: 1, max: 120 }), async (filter, limit) => {
      assertEquals(await listed(jobs, filter, limit), naive(rows, filter));
    }),
    { numRuns },
  );
}

Deno.test("list() pages through any filter and any range of time without a gap or a repetition", async () => {
  const fields = {
    status: optional(JOB_STATUSES),
    queue: optional(QUEUES),
    job_type: optional(TYPES),
    priority: optional(JOB_PRIORITIES),
    tag: optional(TAGS),
  };
  await assertPages(await manyJobs(300), fields, 300);
});

Deno.test("list() by a tag shows the same when so many jobs are in a status that it reads the tag's index", async () => {
  const jobs = await manyJobs(1_600);
  const rows = await allJobs(jobs);
  const [scheduled, changed] = [
    new Date(jobs.clock.now() + 60_000).toISOString(),
    { priority: "high" } as const,
  ];
  for (const [i, { id, phase }] of rows.entries()) {
    if (statusOf(phase) !== "queued" || i % 3 === 0) continue;
    const changes = i % 3 === 1 ? { scheduled_at: scheduled } : changed;
    jobs.processor.stage(id, jobs.states.peek(id)!, { type: "update", changes }, TESTER);
  }
  await jobs.log.drain();
  const fields = { status: optional(JOB_STATUSES), priority: optional(JOB_PRIORITIES), tag: optional(TAGS) };
  await assertPages(jobs, fields, 150);
});

Deno.test("list() takes the bounds of time as exclusive, to the millisecond", async () => {
  const jobs = await manyJobs(20);
  const rows = await jobs.queries.list({}, { limit: 20 });
  const createdAt = Date.parse(rows.jobs[5]!.created_at);
  const after = await listed(jobs, { createdAfter: createdAt }, 50);
  const before = await listed(jobs, { createdBefore: createdAt }, 50);
  assertEquals([...after, rows.jobs[5]!.id, ...before], rows.jobs.map(({ id }) => id));
});

Deno.test("a range of time that ends among thousands of jobs of the same seconds has no empty pages", async () => {
  const { processor, queries, log, clock } = await logOfJobs();
  const create = () =>
    processor.create({ type: "create", spec: aSpec(), idempotency: null }, TESTER).after.createdAt;
  const times: number[] = [];
  for (let i = 0; i < 8_000; i++) {
    times.push(create());
    if (i % 4 === 3) clock.jump(1);
    if (i % 500 === 499) await log.drain();
  }
  const [createdAfter, createdBefore] = [times[3_000]!, times[5_000]!];
  const wanted = times.filter((time) => time > createdAfter && time < createdBefore).length;
  for (let after: string | undefined, seen = 0; seen < wanted;) {
    const { jobs, next } = await queries.list({ createdAfter, createdBefore }, {
      limit: 500,
      ...(after && { after }),
    });
    assertEquals(jobs.length, Math.min(500, wanted - seen));
    seen += jobs.length;
    assertEquals(next === undefined, seen === wanted);
    after = next;
  }
  assertEquals(await queries.list({ createdAfter, createdBefore: createdAfter }, { limit: 500 }), {
    jobs: [],
    next: undefined,
  });
});

Deno.test("list() shows the same when there are more queues than it would merge, and it looks through the log", async () => {
  const queues = Array.from({ length: 150 }, (_, i) => `queue-${i}`);
  const fields = { status: optional(JOB_STATUSES), queue: optional(["queue-0", "queue-42"]) };
  await assertPages(await manyJobs(300, queues), fields, 100);
});

Deno.test("list() looks through so much of the log for a page, and its cursor goes on from there", async () => {
  const queues = Array.from({ length: 100 }, (_, i) => `queue-${i}`);
  const jobs = await logOfJobs();
  const { processor, states, log, clock } = jobs;
  const create = (queue: string) =>
    processor.create({ type: "create", spec: aSpec({ queue }), idempotency: null }, TESTER).after.id;
  const ids = queues.map(create);
  const [busy] = ids;
  processor.stage(busy!, states.peek(busy!)!, { type: "start" }, TESTER);
  for (let i = 0; i < 12_000; i++) {
    const progress = { type: "progress", attempt: 1, percent: 1, note: null } as const;
    processor.stage(busy!, states.peek(busy!)!, progress, TESTER);
    clock.jump(10);
    if (i % 200 === 0) await log.drain();
  }
  await log.drain();
  const newest = create("queue-1");
  await log.drain();
  const first = await jobs.queries.list({}, { limit: 10 });
  assertEquals(first.jobs.map(({ id }) => id), [newest]);
  assertEquals(await listed(jobs, {}, 10), [...ids, newest].reverse());
});

Deno.test("list() pages on steadily while jobs are created and change", async () => {
  const jobs = await manyJobs(200);
  const expected = naive(await allJobs(jobs), { queue: "mail" });
  const ids: string[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await jobs.queries.list({ queue: "mail" }, { limit: 7, ...(after && { after }) });
    ids.push(...page.jobs.map(({ id }) => id));
    for (let i = 0; i < 5; i++) {
      const spec = aSpec({ queue: "mail" });
      jobs.processor.stage(jobs.newJobId(), null, { type: "create", spec, idempotency: null }, TESTER);
    }
    // Jobs on pages to come change their status, which moves them in the index.
    const waiting = (await jobs.queries.list({ queue: "mail", status: "queued" }, { limit: 500 })).jobs.at(
      -1,
    );
    if (waiting) await jobs.processor.execute(waiting.id, { type: "cancel" }, TESTER);
    await jobs.log.drain();
    if (page.next === undefined) break;
    after = page.next;
  }
  assertEquals(ids, expected);
});

runtimeTest(
  "list() shows what is committed, and a running job among the others",
  { concurrency: 1 },
  async (test) => {
    const [running, waiting] = [await test.create({ tags: ["t"] }), await test.create({ tags: ["t"] })];
    const ids = async (filter: JobFilter) =>
      (await test.queries.list(filter, { limit: 10 })).jobs.map(({ id }) => id);
    assertEquals(await ids({}), [waiting, running]);
    assertEquals(await ids({ status: "processing" }), [running]);
    assertEquals(await ids({ status: "queued" }), [waiting]);
    assertEquals(await ids({ queue: "default" }), [waiting, running]);
    assertEquals(await ids({ tag: "t" }), [waiting, running]);
    test.commands.cancel(waiting, TESTER);
    assertEquals(await ids({ status: "cancelled" }), []);
  },
);

/** Completed jobs of one type, `failed` of them failed, `marked` of them tagged; those come first. */
async function storedJobs(count: number, failed: number, marked: number): Promise<LogOfJobs> {
  const store = new CountingStore(new MemoryStore());
  const jobs = await logOfJobs({ store });
  const { processor, states, newJobId, log, clock } = jobs;
  for (let i = 0; i < count; i++) {
    const id = newJobId();
    const spec = aSpec({ tags: i < marked ? ["marked"] : [], priority: i < marked ? "high" : "normal" });
    processor.stage(id, null, { type: "create", spec, idempotency: null }, TESTER);
    const tell = (command: Parameters<typeof processor.stage>[2]) =>
      processor.stage(id, states.peek(id)!, command, TESTER);
    tell({ type: "start" });
    const outcome = i < failed
      ? { type: "failed", errorMessage: "Error: no luck", retryable: false } as const
      : { type: "completed", result: null } as const;
    tell({ type: "settle", attempt: 1, outcome, progress: null });
    clock.jump(10);
    if (i % 100 === 99) await log.drain();
  }
  await log.drain();
  return jobs;
}

Deno.test("a page reads as much with 20,000 jobs as with 1,000, and the counts read nothing", async () => {
  const filters: JobFilter[] = [
    {},
    { status: "completed" },
    { status: "failed" },
    { status: "failed", job_type: "echo", queue: "default" },
    { tag: "marked" },
    { tag: "marked", status: "failed" },
  ];
  const costs = [];
  for (const count of [1_000, 20_000]) {
    const { store, queries } = await storedJobs(count, 100, 200);
    const counting = store as CountingStore;
    const reads = [];
    for (const filter of filters) {
      reads.push((await counting.during(() => queries.list(filter, { limit: 50 }))).entries);
    }
    reads.push((await counting.during(() => queries.stats())).entries);
    costs.push(reads);
  }
  assertEquals(costs[1], costs[0]);
  assert(Math.max(...costs[0]!) <= 500, String(costs[0]));
});

Deno.test("a page of jobs of many queues and types reads little more than it shows, wherever the newest are", async () => {
  const store = new CountingStore(new MemoryStore());
  const { processor, queries, log, clock } = await logOfJobs({ store });
  const create = (queue: string, job_type: string) => {
    const spec = aSpec({ queue, job_type });
    const { after } = processor.create({ type: "create", spec, idempotency: null }, TESTER);
    processor.stage(after.id, after, { type: "cancel" }, TESTER);
    clock.jump(10);
  };
  for (let i = 0; i < 6_000; i++) {
    create(`queue-${i % 10}`, i % 2 === 0 ? "echo" : "report");
    if (i % 100 === 99) await log.drain();
  }
  await log.drain();
  const entriesOf = async (limit: number) => {
    const { entries } = await store.during(async () => {
      const { jobs } = await queries.list({}, { limit });
      assertEquals(jobs.length, limit);
    });
    return entries;
  };
  const [few, many] = [await entriesOf(50), await entriesOf(500)];
  for (let i = 0; i < 600; i++) create("queue-3", "echo");
  await log.drain();
  const fromOne = await entriesOf(500);
  // Beside the entries of the index, pages of the log with the jobs' first events.
  assert(few <= 300 && many <= 1_300 && fromOne <= 1_600, `${[few, many, fromOne]} entries`);
});

Deno.test("waiting jobs of many queues cost a page one read for each queue and priority, and the events of the page", async () => {
  const store = new CountingStore(new MemoryStore());
  const { processor, queries, log, clock } = await logOfJobs({ store });
  const queues = Array.from({ length: 40 }, (_, i) => `queue-${i}`);
  for (let i = 0; i < 4_000; i++) {
    const spec = aSpec({ queue: queues[i % queues.length]!, job_type: i % 1_000 === 0 ? "rare" : "echo" });
    processor.create({ type: "create", spec, idempotency: null }, TESTER);
    clock.jump(10);
    if (i % 50 === 49) await log.drain();
  }
  await log.drain();
  const lanes = 4 * queues.length;
  const ofQueues = (filter: JobFilter) =>
    store.during(async () => {
      const { jobs } = await queries.list(filter, { limit: 50 });
      assertEquals(jobs.length, filter.job_type ? 4 : 50);
    });
  const all = await ofQueues({ status: "queued" });
  assert(all.requests <= 2 * lanes, `${all.requests} requests for ${lanes} queues and priorities`);
  assert(all.entries <= 10 * queues.length, `${all.entries} entries`);
  const rare = await ofQueues({ status: "queued", job_type: "rare" });
  assert(rare.requests <= 2 * lanes, `${rare.requests} requests for a rare type`);
  const stats = await store.during(() => queries.stats());
  assert(stats.requests <= 3 * lanes, `${stats.requests} requests for the counts`);
});

Deno.test("a filter that no index serves looks at so many jobs a page, and its cursor goes on from there", async () => {
  const jobs = await storedJobs(5_000, 0, 3);
  const counting = jobs.store as CountingStore;
  const found: string[] = [];
  let after: string | undefined;
  let pages = 0;
  do {
    const page = await counting.during(async () => {
      const { jobs: shown, next } = await jobs.queries.list({ priority: "high" }, {
        limit: 50,
        ...(after !== undefined && { after }),
      });
      found.push(...shown.map(({ tags }) => tags[0]!));
      after = next;
    });
    assert(page.entries <= 3 * SCAN_LIMIT, `${page.entries} entries`);
    pages += 1;
  } while (after !== undefined);
  assertEquals(found, ["marked", "marked", "marked"]);
  assert(pages >= 5_000 / (2 * SCAN_LIMIT), `${pages} pages`);
});

Deno.test("a page is full if as many jobs fit as it may show, and its cursor ends where they do", async () => {
  const jobs = await storedJobs(1_000, 0, 0);
  for (const limit of [SCAN_LIMIT - 1, SCAN_LIMIT, 500]) {
    const { jobs: shown, next } = await jobs.queries.list({ priority: "normal" }, { limit });
    assertEquals([shown.length, next], [limit, shown.at(-1)!.id]);
  }
  const { next, ...first } = await jobs.queries.list({ priority: "normal" }, { limit: 500 });
  const second = await jobs.queries.list({ priority: "normal" }, { limit: 500, after: next! });
  assertEquals([first.jobs.length, second.jobs.length, second.next], [500, 500, undefined]);
});

Deno.test("a tag that many jobs bear costs a filter nothing that leaves few jobs, or those being processed", async () => {
  const store = new CountingStore(new MemoryStore());
  const jobs = await logOfJobs({ store });
  const { processor, newJobId, log } = jobs;
  const ids: string[] = [];
  for (let i = 0; i < 3_000; i++) {
    const id = newJobId();
    ids.push(id);
    const spec = aSpec({ tags: ["release"] });
    const { after } = processor.stage(id, null, { type: "create", spec, idempotency: null }, TESTER);
    if (i >= 5) processor.stage(id, after, { type: i < 8 ? "start" : "cancel" }, TESTER);
    if (i % 500 === 0) await log.drain();
  }
  await log.drain();
  for (const [status, expected] of [["queued", ids.slice(0, 5)], ["processing", ids.slice(5, 8)]] as const) {
    const page = await store.during(async () => {
      const { jobs: shown, next } = await jobs.queries.list({ tag: "release", status }, { limit: 20 });
      assertEquals([shown.map(({ id }) => id), next], [[...expected].reverse(), undefined]);
    });
    assert(page.entries < 50, `${page.entries} entries for ${status}`);
  }
  const rest = await jobs.queries.list({ tag: "release", status: "cancelled" }, { limit: 20 });
  assertEquals(rest.jobs.map(({ id }) => id), ids.slice(-20).reverse());
});

/** Of the jobs each tenth bears `rare`; a third of them wait, a third are completed, the rest cancelled. */
async function taggedJobs(count: number) {
  const store = new CountingStore(new MemoryStore());
  const jobs = await logOfJobs({ store });
  const { processor, states, log, clock } = jobs;
  for (let i = 0; i < count; i++) {
    const spec = aSpec({ tags: i % 10 === 0 ? ["rare", "frequent"] : ["frequent"] });
    const { after: { id } } = processor.create({ type: "create", spec, idempotency: null }, TESTER);
    const tell = (command: Parameters<typeof processor.stage>[2]) =>
      processor.stage(id, states.peek(id)!, command, TESTER);
    if (i % 3 === 1) tell({ type: "cancel" });
    if (i % 3 === 2) {
      tell({ type: "start" });
      const outcome = { type: "completed", result: null } as const;
      tell({ type: "settle", attempt: 1, outcome, progress: null });
    }
    clock.jump(10);
    if (i % 50 === 49) await log.drain();
  }
  await log.drain();
  return { ...jobs, store };
}

Deno.test("a page by a tag looks up a key for each job at most, and none where many jobs bear the tag", async () => {
  const { store, queries } = await taggedJobs(6_000);
  const keysOf = async (filter: JobFilter) => {
    const { keys } = await store.during(async () => {
      const { jobs } = await queries.list(filter, { limit: 50 });
      assertEquals(jobs.length, 50);
    });
    return keys;
  };
  for (const status of ["queued", "completed", "cancelled"] as const) {
    const [many, few] = [await keysOf({ tag: "frequent", status }), await keysOf({ tag: "rare", status })];
    assert(many <= 20 && few <= SCAN_LIMIT + 20, `${many} and ${few} keys for ${status}`);
  }
  const [many, few] = [await keysOf({ tag: "frequent" }), await keysOf({ tag: "rare" })];
  assert(many <= 20 && few <= 3 * 51, `${many} and ${few} keys`);
});

Deno.test("a page by a tag and a final status reads no events of jobs that it does not show", async () => {
  const { store, queries, processor, states, log } = await taggedJobs(6_000);
  const { jobs: fails } = await queries.list({ status: "queued" }, { limit: 300 });
  const frequent = fails.filter(({ tags }) => !tags.includes("rare"));
  for (const { id } of frequent) {
    await states.latest(id);
    processor.stage(id, states.peek(id)!, { type: "start" }, TESTER);
    const outcome = { type: "failed", errorMessage: "Error: no luck", retryable: false } as const;
    processor.stage(id, states.peek(id)!, { type: "settle", attempt: 1, outcome, progress: null }, TESTER);
  }
  await log.drain();
  assert(frequent.length > SCAN_LIMIT);
  const before = store.pages;
  const { jobs, next } = await queries.list({ tag: "rare", status: "failed" }, { limit: 50 });
  assertEquals([jobs, next !== undefined, store.pages - before], [[], true, 0]);
});

Deno.test("a job whose queue was changed, or that waits, or is gone, is in the list of its tag and status or not", async () => {
  const jobs = await taggedJobs(1_000);
  const { processor, queries, log, clock } = jobs;
  const create = (overrides: Parameters<typeof aSpec>[0] = {}) => {
    const spec = aSpec({ ...overrides, tags: ["rare"] });
    return processor.create({ type: "create", spec, idempotency: null }, TESTER).after.id;
  };
  const [moved, waits, scheduled, changed, gone] = [
    create(),
    create(),
    create({ scheduled_at: new Date(clock.now() + 60_000).toISOString() }),
    create(),
    create(),
  ];
  await log.drain();
  const list = async (status: "queued" | "cancelled") => {
    const { jobs } = await queries.list({ tag: "rare", status }, { limit: 5 });
    return jobs.map(({ id }) => id);
  };
  await processor.execute(moved, { type: "update", changes: { queue: "mail" } }, TESTER);
  await processor.execute(changed, { type: "update", changes: { payload: { changed: true } } }, TESTER);
  await processor.execute(gone, { type: "cancel" }, TESTER);
  assertEquals((await list("queued")).slice(0, 4), [changed, scheduled, waits, moved]);
  await processor.execute(moved, { type: "cancel" }, TESTER);
  assertEquals((await list("cancelled")).slice(0, 2), [gone, moved]);
  await processor.execute(gone, { type: "delete" }, TESTER);
  assertEquals((await list("cancelled"))[0], moved);
  assertEquals((await list("queued")).slice(0, 3), [changed, scheduled, waits]);
});

Deno.test("waiting jobs are listed at the same cost however many wait for a retry or are scheduled beside them", async () => {
  const store = new CountingStore(new MemoryStore());
  const jobs = await logOfJobs({ store });
  const { processor, newJobId, log, clock } = jobs;
  const create = (scheduled_at: string | null) =>
    processor.stage(
      newJobId(),
      null,
      { type: "create", spec: aSpec({ scheduled_at }), idempotency: null },
      TESTER,
    );
  for (let i = 0; i < 30; i++) create(null);
  const later = (ms: number) => new Date(clock.now() + ms).toISOString();
  for (let i = 0; i < 8_000; i++) {
    create(later(i % 2 === 0 ? 5_000 : 3_600_000));
    if (i % 500 === 0) await log.drain();
  }
  await log.drain();
  clock.jump(10_000);
  for (let i = 0; i < 30; i++) create(null);
  await log.drain();
  const expected = naive(await allJobs(jobs), { status: "queued" });
  const page = await store.during(async () => {
    const { jobs: shown } = await jobs.queries.list({ status: "queued" }, { limit: 20 });
    assertEquals(shown.map(({ id }) => id), expected.slice(0, 20));
  });
  assert(page.entries <= 3_000, `${page.entries} entries`);
  assertEquals(await listed(jobs, { status: "queued" }, 500), expected);
});
