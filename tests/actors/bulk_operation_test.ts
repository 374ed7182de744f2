import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import fc from "fast-check";
import { z } from "zod";
import type { BulkAction } from "../../src/actors/bulk_job_type.ts";
import { bulkOperation } from "../../src/actors/bulk_operation.ts";
import { JOB_PRIORITIES, JOB_STATUSES, type JobStatus } from "../../src/actors/job/job.ts";
import type { AnyHandler } from "../../src/actors/job_type_registry.ts";
import type { Decided, JobProcessor } from "../../src/actors/job_processor.ts";
import { selectedJobs } from "../../src/actors/bulk_selection.ts";
import type { BulkSelection, JobFilter, JobSpec } from "../../src/actors/jobs.ts";
import type { Store } from "../../src/events/store.ts";
import type { HandlerContext } from "../../src/handlers/handler.ts";
import { settle } from "../support/manual_clock.ts";
import {
  afterEvents,
  bulk,
  bulkSpec,
  createMany,
  endOf,
  figures,
  logOf,
  startBulk,
  statuses,
} from "./support/bulk.ts";
import { aSpec } from "./support/facts.ts";
import { type LogOfJobs, logOfJobs, TESTER } from "./support/log_of_jobs.ts";
import { runtimeTest, TestRuntime } from "./support/test_runtime.ts";

const NEVER = new AbortController().signal;

/** A job type whose every attempt fails for good. */
const hopeless: AnyHandler = {
  jobType: "hopeless",
  payloadSchema: z.looseObject({}),
  run: () => Promise.reject(Object.assign(new Error("no luck"), { retryable: false })),
};

runtimeTest("a bulk cancel cancels what waits and what runs, and leaves the rest alone", {
  concurrency: 1,
}, async (test) => {
  const [running, waiting] = [await test.create(), await test.create()];
  const later = await createMany(test, 1_203);
  const others = await createMany(test, 5, () => ({ queue: "mail" }));
  const payload = { action: "cancel", filter: { queue: "default" }, reason: "wrong template" };
  assertEquals(await bulk(test, payload), [1_205, 1_205, 0, 0]);
  assertEquals(await statuses(test, [waiting, ...later]), { cancelled: 1_204 });
  assertEquals(await statuses(test, others), { queued: 5 });
  assertEquals(test.runOf(running).context.signal.aborted, true);
  const { cancel_reason, status } = await test.job(running);
  assertEquals([status, cancel_reason], ["processing", "wrong template"]);
  assertEquals((await test.job(waiting)).cancel_reason, "wrong template");
});

runtimeTest("a bulk operation runs though every slot hangs, and no other job gets its slot", {
  concurrency: 2,
}, async (test) => {
  const hanging = await createMany(test, 6, () => ({ scheduled_at: null }));
  await settle();
  assertEquals(test.open.length, 2);
  assertEquals(await bulk(test, { action: "cancel", filter: { status: "queued" } }), [4, 4, 0, 0]);
  assertEquals(test.open.map(({ jobId }) => jobId), hanging.slice(0, 2));
});

runtimeTest("bulk operations run one after another, and take no slot from other jobs", {
  concurrency: 1,
}, async (test) => {
  await createMany(test, 800);
  const first = await startBulk(test, { action: "cancel", filter: {} });
  const second = await startBulk(test, { action: "delete", filter: {} });
  const ordinary = await test.create();
  assertEquals([await test.status(ordinary), test.open.length], ["processing", 1]);
  assertEquals(figures(await endOf(test, first))[1], 800);
  assertEquals(figures(await endOf(test, second))[1], 800);
  const starts = (await logOf(test)).filter(({ stream, type }) =>
    [first, second].some((id) => stream === `job/${id}`) && /started|completed/.test(type)
  );
  assertEquals(starts.map(({ type }) => type.slice(4)), ["started", "completed", "started", "completed"]);
});

runtimeTest("a bulk retry retries a job that fails again at once only once", {
  handlers: [hopeless],
  concurrency: 50,
}, async (test) => {
  const ids = await createMany(test, 1_100, () => ({ job_type: "hopeless", scheduled_at: null }));
  await until(async () => (await test.queries.stats()).by_status.failed === ids.length);
  assertEquals(await bulk(test, { action: "retry", filter: { status: "failed" } }), [1_100, 1_100, 0, 0]);
  await until(async () => (await test.queries.stats()).by_status.failed === ids.length);
  const retried = (await logOf(test)).filter(({ type }) => type === "job.retried");
  assertEquals(retried.length, ids.length);
  assertEquals(new Set(retried.map(({ stream }) => stream)).size, ids.length);
});

runtimeTest(
  "a bulk delete takes final jobs out of the lists, never one that waits or runs",
  {},
  async (test) => {
    const [done, running] = [await test.create(), await test.create()];
    test.runOf(done).resolve({});
    const [waiting, cancelled] = await createMany(test, 2);
    await test.cancel(cancelled!);
    assertEquals(await bulk(test, { action: "delete", filter: {} }), [2, 2, 0, 0]);
    assertEquals(await statuses(test, [done, running, waiting!, cancelled!]), {
      gone: 2,
      processing: 1,
      queued: 1,
    });
  },
);

runtimeTest("a bulk operation acts on no bulk operation, itself least of all", {}, async (test) => {
  const scheduled = bulkSpec({ action: "delete", filter: {} }, { scheduled_at: "2026-01-09T00:00:00.000Z" });
  const { job: other } = await test.commands.create(scheduled, TESTER);
  for (
    const filter of [{}, { job_type: "bulk_operation" }, { queue: "bulk_operations" }, { priority: "normal" }]
  ) {
    assertEquals(
      await test.runtime.jobs.bulk.count({ action: "cancel", filter: filter as JobFilter }, NEVER),
      0,
    );
    assertEquals(await bulk(test, { action: "cancel", filter }), [0, 0, 0, 0]);
    assertEquals(await bulk(test, { action: "delete", filter }), [0, 0, 0, 0]);
  }
  assertEquals(await test.status(other.id), "queued");
});

runtimeTest("a bulk operation leaves alone what is created after it began", {}, async (test) => {
  const before = await createMany(test, 700);
  let after: Promise<string[]> | undefined;
  afterEvents(test, "job.cancelled", 1, () => after = createMany(test, 3));
  assertEquals(await bulk(test, { action: "cancel", filter: {} }), [700, 700, 0, 0]);
  assertEquals(await statuses(test, before), { cancelled: 700 });
  assertEquals(await statuses(test, await after!), { queued: 3 });
});

runtimeTest("a scheduled bulk operation acts on what was created before its time", {}, async (test) => {
  const early = await createMany(test, 2);
  const spec = bulkSpec({ action: "cancel", filter: {} }, { scheduled_at: "2026-01-07T10:16:00.000Z" });
  const { job } = await test.commands.create(spec, TESTER);
  await test.clock.advanceAsync(30_000);
  const meanwhile = await createMany(test, 2);
  await test.clock.advanceAsync(30_000);
  assertEquals(figures(await endOf(test, job.id)), [4, 4, 0, 0]);
  assertEquals(await statuses(test, [...early, ...meanwhile]), { cancelled: 4 });
});

runtimeTest(
  "a bulk operation that is cancelled stops, the rest stays as it was, and it says how many it changed",
  {},
  async (test) => {
    const ids = await createMany(test, 2_000);
    const operation = await startBulk(test, { action: "cancel", filter: {} });
    afterEvents(test, "job.cancelled", 600, () => void test.cancel(operation));
    const { status, progress } = await endOf(test, operation);
    const { cancelled, queued } = await statuses(test, ids);
    assertEquals([status, progress?.note], ["cancelled", `${grouped(cancelled!)} of 2,000 cancelled`]);
    assert(cancelled! >= 600 && queued! >= 500, `${cancelled} cancelled, ${queued} queued`);
  },
);

runtimeTest(
  "every event of a bulk operation names who asked, why, and the operation's first event",
  {},
  async (test) => {
    const [id] = await createMany(test, 1);
    const operation = await startBulk(test, { action: "cancel", filter: {}, reason: "enough" });
    await endOf(test, operation);
    const [cause] = await test.events(operation);
    const { actor, request_id, causation_id, reason } = (await test.events(id!)).at(-1)!;
    assertEquals([actor, request_id, causation_id, reason], [
      "tester",
      "request-1",
      String(cause!.position),
      "enough",
    ]);
  },
);

for (
  const [action, filter] of [
    ["cancel", { queue: "default" }],
    ["delete", { queue: "default" }],
    ["cancel", { tag: "red" }],
    ["delete", { tag: "red" }],
  ] as const
) {
  const title = `a bulk ${action} of ${
    JSON.stringify(filter)
  } goes on after a crash and tells of all that it did`;
  Deno.test(title, async () => {
    const first = await TestRuntime.open();
    const ids = await createMany(first, 2_000, () => ({ tags: ["red"] }));
    if (action === "delete") await bulk(first, { action: "cancel", filter: {} });
    const operation = await startBulk(first, { action, filter });
    const second = await crashAfter(first, action === "cancel" ? "job.cancelled" : "job.deleted", 700);
    const job = await endOf(second, operation);
    assertEquals([figures(job), job.attempt], [[2_000, 2_000, 0, 0], 2]);
    assertEquals(await statuses(second, ids), action === "cancel" ? { cancelled: 2_000 } : { gone: 2_000 });
    await second.close();
  });
}

Deno.test("a bulk retry that goes on after a crash retries no job a second time", async () => {
  const options = { handlers: [hopeless], concurrency: 50 };
  const first = await TestRuntime.open(options);
  const ids = await createMany(first, 2_000, () => ({ job_type: "hopeless", scheduled_at: null }));
  await until(async () => (await first.queries.stats()).by_status.failed === ids.length);
  const operation = await startBulk(first, { action: "retry", filter: {} });
  const second = await crashAfter(first, "job.retried", 700, options);
  assertEquals(figures(await endOf(second, operation)), [2_000, 2_000, 0, 0]);
  await until(async () => (await second.queries.stats()).by_status.failed === ids.length);
  const retried = (await logOf(second)).filter(({ type }) => type === "job.retried");
  assertEquals([retried.length, new Set(retried.map(({ stream }) => stream)).size], [2_000, 2_000]);
  await second.close();
});

Deno.test("a bulk cancel that goes on after a crash does not cancel what was retried meanwhile", async () => {
  const first = await TestRuntime.open();
  const ids = await createMany(first, 1_200);
  const operation = await startBulk(first, { action: "cancel", filter: {} });
  const second = await crashAfter(first, "job.cancelled", 500, { startNow: false });
  const newest = ids.at(-1)!;
  await second.commands.retry(newest, TESTER);
  await second.start();
  assertEquals(figures(await endOf(second, operation)), [1_200, 1_200, 0, 0]);
  assertEquals(await statuses(second, ids), { cancelled: 1_199, processing: 1 });
  await second.close();
});

Deno.test("a bulk cancel of what is being processed that goes on after a crash means what was so when it began", async () => {
  const options = { concurrency: 1_200 };
  const first = await TestRuntime.open(options);
  const spec = () => ({ scheduled_at: null });
  const meant = await createMany(first, 1_200, spec);
  const others = await createMany(first, 300, spec);
  await settle();
  assertEquals(await statuses(first, meant), { processing: 1_200 });
  const operation = await startBulk(first, { action: "cancel", filter: { status: "processing" } });
  const second = await crashAfter(first, "job.cancel_requested", 500, options);
  assertEquals(figures(await endOf(second, operation)).slice(0, 2), [1_200, 1_200]);
  for (const id of others) assertEquals((await second.job(id)).cancel_requested_at, null);
  await second.close();
});

/** Another process takes the log over as soon as so many events of the type are on disk. */
async function crashAfter(
  test: TestRuntime,
  type: string,
  count: number,
  options = {},
): Promise<TestRuntime> {
  await new Promise<void>((resolve) => afterEvents(test, type, count, resolve));
  return await TestRuntime.open({ store: test.store, clock: test.clock, ...options });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; !await holds(); turn++) {
    assert(turn < 1_000, "it never comes to pass");
    await settle();
  }
}

const anyFilter: fc.Arbitrary<JobFilter> = fc.record({
  status: fc.constantFrom(...JOB_STATUSES),
  job_type: fc.constantFrom("echo", "report"),
  queue: fc.constantFrom("default", "mail"),
  priority: fc.constantFrom(...JOB_PRIORITIES),
  tag: fc.constantFrom("red", "green"),
  createdAfter: fc.constantFrom(0, 20, 60).map(minute),
  createdBefore: fc.constantFrom(30, 80, 200).map(minute),
}, { requiredKeys: [] });

function minute(n: number): number {
  return Date.parse("2026-01-07T10:15:00.000Z") + n * 60_000;
}

const APPLIES: Readonly<Record<BulkAction, readonly JobStatus[]>> = {
  cancel: ["queued", "processing"],
  retry: ["failed", "cancelled"],
  delete: ["completed", "failed", "cancelled"],
};

Deno.test("a dry run counts exactly the jobs that the operation then changes, and it changes those alone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("cancel", "retry", "delete"), anyFilter, async (action, filter) => {
      const test = await TestRuntime.open({ concurrency: 4, handlers: [{ ...hopeless, jobType: "report" }] });
      for (let i = 0; i < 90; i++) {
        const id = await test.create({
          job_type: i % 3 === 0 ? "report" : "echo",
          queue: i % 2 === 0 ? "default" : "mail",
          priority: JOB_PRIORITIES[i % 4]!,
          tags: i % 5 < 2 ? ["red"] : i % 5 < 4 ? ["red", "green"] : [],
          scheduled_at: i % 7 === 0 ? "2026-02-01T00:00:00.000Z" : null,
        });
        const run = test.open.find(({ jobId }) => jobId === id);
        if (i % 4 !== 1 || test.open.length === 4) run?.resolve({});
        if (i % 7 === 0 && i % 3 === 1) await test.cancel(id);
        await test.clock.advanceAsync(60_000);
      }
      const before = (await test.queries.list({}, { limit: 500 })).jobs;
      const expected = before.filter((job) => fits(job, filter) && APPLIES[action].includes(job.status));
      const count = await test.runtime.jobs.bulk.count({ action, filter }, NEVER);
      const { createdAfter, createdBefore, ...same } = filter;
      const payload = {
        action,
        filter: {
          ...same,
          ...(createdAfter && { created_after: new Date(createdAfter).toISOString() }),
          ...(createdBefore && { created_before: new Date(createdBefore).toISOString() }),
        },
      };
      const operation = await startBulk(test, payload);
      const [matched, changed] = figures(await endOf(test, operation));
      assertEquals([count, matched, changed], [expected.length, expected.length, expected.length]);
      const cause = String((await test.events(operation))[0]!.position);
      const touched = (await logOf(test)).filter(({ causation_id, stream }) =>
        causation_id === cause && stream !== `job/${operation}`
      );
      assertEquals(
        touched.map(({ stream }) => stream).sort(),
        expected.map(({ id }) => `job/${id}`).sort(),
      );
      await test.close();
    }),
    { numRuns: 40 },
  );
});

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

function fits(job: Awaited<ReturnType<TestRuntime["job"]>>, filter: JobFilter): boolean {
  const created = Date.parse(job.created_at);
  return (filter.status ?? job.status) === job.status && (filter.job_type ?? job.job_type) === job.job_type &&
    (filter.queue ?? job.queue) === job.queue && (filter.priority ?? job.priority) === job.priority &&
    (filter.tag === undefined || job.tags.includes(filter.tag)) &&
    created > (filter.createdAfter ?? -Infinity) && created < (filter.createdBefore ?? Infinity);
}

runtimeTest("a dry run that walks stops when its caller goes away", {}, async (test) => {
  await createMany(test, 1_500, () => ({ tags: ["red"] }));
  const caller = new AbortController();
  const counting = test.runtime.jobs.bulk.count({ action: "cancel", filter: { tag: "red" } }, caller.signal);
  caller.abort(new DOMException("gone", "AbortError"));
  await assertRejects(() => counting, DOMException, "gone");
});

Deno.test("a job whose status changes before its turn is counted as refused, one being cancelled as unchanged", async () => {
  const jobs = await logOfJobs();
  const { processor, newJobId, states } = jobs;
  const started = (spec = aSpec()): string => {
    const id = newJobId();
    processor.stage(id, null, { type: "create", spec, idempotency: null }, TESTER);
    processor.stage(id, states.peek(id)!, { type: "start" }, TESTER);
    return id;
  };
  const [cancelling, running, operation] = [started(), started(), started(bulkSpec({}))];
  await processor.execute(cancelling, { type: "cancel" }, TESTER);
  const done = { type: "completed", result: null } as const;
  const completing = {
    execute: async (...args: Parameters<typeof processor.execute>) => {
      if (args[0] === running) {
        await processor.execute(
          running,
          { type: "settle", attempt: 1, outcome: done, progress: null },
          TESTER,
        );
      }
      return await processor.execute(...args);
    },
  };
  const notes: unknown[] = [];
  const result = await bulkOperation({ ...jobs, sources: jobs, processor: completing as JobProcessor }).run(
    { action: "cancel", filter: {} },
    {
      jobId: operation,
      attempt: 1,
      signal: NEVER,
      progress: (...progress: unknown[]) => notes.push(progress),
    } as unknown as HandlerContext,
  );
  const { matched, changed, unchanged, refused } = result;
  assertEquals([matched, changed, unchanged, refused], [2, 0, 1, 1]);
  assertEquals(notes.at(-1), [100, "0 of 2 cancelled"]);
});

for (
  const [filter, change] of [
    [{ status: "queued" }, { type: "start" }],
    [{ tag: "red" }, { type: "update", changes: { tags: ["blue"] } }],
    [{ priority: "normal" }, { type: "update", changes: { priority: "high" } }],
  ] as const
) {
  Deno.test(`a job that ${JSON.stringify(filter)} does not fit any more when it is its turn is left alone`, async () => {
    const jobs = await logOfJobs();
    const { processor, newJobId, states } = jobs;
    const [job, operation] = [aSpec({ tags: ["red"] }), bulkSpec({})].map((spec) => {
      const id = newJobId();
      processor.stage(id, null, { type: "create", spec, idempotency: null }, TESTER);
      return id;
    });
    processor.stage(operation!, states.peek(operation!)!, { type: "start" }, TESTER);
    await jobs.log.drain();
    const changing = {
      execute: async (...args: Parameters<typeof processor.execute>) => {
        if (args[0] === job) await processor.execute(job!, change, TESTER);
        return await processor.execute(...args);
      },
    };
    const result = await bulkOperation({ ...jobs, sources: jobs, processor: changing as JobProcessor }).run(
      { action: "cancel", filter },
      { jobId: operation, attempt: 1, signal: NEVER, progress: () => {} } as unknown as HandlerContext,
    );
    assertEquals([result.matched, result.changed, result.refused], [1, 0, 1]);
    assertEquals((await jobs.queries.get(job!))!.cancel_requested_at, null);
  });
}

/** Two jobs that wait and an operation that runs, with what `changing` does to the first job when it is its turn. */
async function withChanges(
  specs: readonly [JobSpec, JobSpec],
  changing: (jobs: LogOfJobs, ids: readonly string[], act: () => Promise<Decided>) => Promise<Decided>,
) {
  const jobs = await logOfJobs();
  const { processor, newJobId, states } = jobs;
  const [first, second, operation] = [...specs, bulkSpec({})].map((spec) => {
    const id = newJobId();
    processor.stage(id, null, { type: "create", spec, idempotency: null }, TESTER);
    return id;
  }) as [string, string, string];
  processor.stage(operation, states.peek(operation)!, { type: "start" }, TESTER);
  await jobs.log.drain();
  let met = false;
  const execute = (...args: Parameters<typeof processor.execute>) => {
    const act = () => processor.execute(...args);
    if (args[0] !== first || met) return act();
    met = true;
    return changing(jobs, [first, second], act);
  };
  const notes: unknown[] = [];
  const stop = new AbortController();
  const run = async (filter: JobFilter) =>
    await bulkOperation({ ...jobs, sources: jobs, processor: { execute } as JobProcessor }).run(
      { action: "cancel", filter },
      {
        jobId: operation,
        attempt: 1,
        signal: stop.signal,
        progress: (...progress: unknown[]) => notes.push(progress),
      } as unknown as HandlerContext,
    );
  return { jobs, run, notes, stop, second };
}

Deno.test("a bulk cancel counts a job once that did not fit when it was its turn, and fits again later", async () => {
  const { run } = await withChanges([aSpec(), aSpec()], async ({ processor }, [first], act) => {
    await processor.execute(first!, { type: "start" }, TESTER);
    const outcome = { type: "failed", errorMessage: "Error: no luck", retryable: true } as const;
    try {
      return await act();
    } finally {
      await processor.execute(first!, { type: "settle", attempt: 1, outcome, progress: null }, TESTER);
    }
  });
  const { matched, changed, unchanged, refused } = await run({ status: "queued" });
  assertEquals([matched, changed, unchanged, refused], [2, 2, 0, 0]);
});

Deno.test("a bulk cancel leaves alone what it cancelled and somebody retried meanwhile", async () => {
  let retried = "";
  const { jobs, run } = await withChanges([aSpec(), aSpec()], async ({ processor }, [first], act) => {
    const decided = await act();
    await processor.execute(retried = first!, { type: "retry" }, TESTER);
    return decided;
  });
  const { matched, changed, unchanged, refused } = await run({});
  assertEquals([matched, changed, unchanged, refused], [2, 2, 0, 0]);
  assertEquals((await jobs.queries.get(retried))!.status, "queued");
});

Deno.test("a bulk cancel counts a job once whose cancel somebody else asked for meanwhile", async () => {
  const { run } = await withChanges([aSpec(), aSpec()], async ({ processor }, [first], act) => {
    await processor.execute(first!, { type: "start" }, TESTER);
    await processor.execute(first!, { type: "cancel" }, TESTER);
    return await act();
  });
  const { matched, changed, unchanged, refused } = await run({});
  assertEquals([matched, changed, unchanged, refused], [2, 1, 1, 0]);
});

Deno.test("a bulk cancel leaves another bulk operation alone that changes meanwhile", async () => {
  const { jobs, run, second } = await withChanges(
    [aSpec(), bulkSpec({})],
    async ({ processor }, [, other], act) => {
      await processor.execute(other!, { type: "update", changes: { tags: ["red"] } }, TESTER);
      return await act();
    },
  );
  assertEquals((await run({})).matched, 1);
  assertEquals((await jobs.queries.get(second))!.status, "queued");
});

Deno.test("a bulk cancel that is stopped while it looks for what it missed says how many it changed", async () => {
  const specs = [aSpec({ tags: ["red"] }), aSpec({ tags: ["blue"] })] as const;
  const { jobs, run, notes, stop, second } = await withChanges(
    specs,
    async ({ processor }, [, other], act) => {
      await processor.execute(other!, { type: "update", changes: { tags: ["red"] } }, TESTER);
      return await act();
    },
  );
  jobs.log.listen({
    landed: (appends) => {
      if (appends.some(({ change: { after } }) => after.id === second && after.phase === "cancelled")) {
        stop.abort();
      }
    },
  });
  await assertRejects(() => run({ tag: "red" }), DOMException);
  assertEquals(notes.at(-1), [100, "2 cancelled so far"]);
});

Deno.test("a bulk operation that goes on tells what earlier attempts did before it does the rest", async () => {
  const jobs = await logOfJobs();
  const { processor, newJobId, states, log } = jobs;
  const create = (spec: JobSpec) => {
    const id = newJobId();
    processor.stage(id, null, { type: "create", spec, idempotency: null }, TESTER);
    return id;
  };
  const ids = [aSpec(), aSpec(), aSpec()].map(create);
  const cause = String(log.nextPosition);
  const operation = create(bulkSpec({}));
  processor.stage(operation, states.peek(operation)!, { type: "start" }, TESTER);
  await processor.execute(ids[1]!, { type: "cancel" }, { ...TESTER, causation_id: cause });
  const notes: unknown[] = [];
  await bulkOperation({ ...jobs, sources: jobs }).run(
    { action: "cancel", filter: { queue: "default" } },
    {
      jobId: operation,
      attempt: 2,
      signal: NEVER,
      progress: (...progress: unknown[]) => notes.push(progress),
    } as unknown as HandlerContext,
  );
  assertEquals(notes.slice(0, 2), [
    [0, "counting what earlier attempts did"],
    [33.3, "1 of 3 cancelled"],
  ]);
  assertEquals(notes.at(-1), [100, "3 of 3 cancelled"]);
});

Deno.test("a bulk cancel misses no job that is started while it reads which there are", async () => {
  const jobs = await logOfJobs();
  const [waiting, operation] = [aSpec(), bulkSpec({})].map((spec) => {
    const id = jobs.newJobId();
    jobs.processor.stage(id, null, { type: "create", spec, idempotency: null }, TESTER);
    return id;
  }) as [string, string];
  await jobs.log.drain();
  let starts = 0;
  const store: Partial<Store> = {
    // What runs has been read when this answers that the job waits.
    list: async (...args) => {
      const page = await jobs.store.list(...args);
      await settle();
      if (starts++ === 0) await jobs.processor.execute(waiting, { type: "start" }, TESTER);
      return page;
    },
  };
  const parts = { ...jobs, sources: { ...jobs, store: store as Store } };
  const context = { jobId: operation, attempt: 1, signal: NEVER, progress: () => {} };
  const run = bulkOperation(parts).run(
    { action: "cancel", filter: {} },
    context as unknown as HandlerContext,
  );
  const { matched, changed } = await run;
  assertEquals([matched, changed], [1, 1]);
  assertEquals((await jobs.queries.get(waiting))!.cancel_requested_at !== null, true);
});

/** A job type that runs until it is told to stop. */
const obedient: AnyHandler = {
  jobType: "obedient",
  payloadSchema: z.looseObject({}),
  run: (_, { signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
};

runtimeTest("a bulk cancel of what is being processed does not chase the jobs that start in its place", {
  handlers: [obedient],
  concurrency: 10,
}, async (test) => {
  const tags = ["release-42"];
  const ids = await createMany(test, 300, () => ({ job_type: "obedient", scheduled_at: null, tags }));
  await settle();
  const running = await statuses(test, ids);
  assertEquals(running, { processing: 10, queued: 290 });
  const payload = { action: "cancel", filter: { status: "processing", tag: "release-42" } };
  assertEquals(await test.runtime.jobs.bulk.count(payload as BulkSelection, NEVER), 10);
  assertEquals(await bulk(test, payload), [10, 10, 0, 0]);
  await settle();
  assertEquals(await statuses(test, ids), { cancelled: 10, processing: 10, queued: 280 });
});

Deno.test("selectedJobs() gives out what it has found while it looks for more", async () => {
  const jobs = await logOfJobs();
  const ids: string[] = [];
  for (let i = 0; i < 8_000; i++) {
    ids.push(jobs.newJobId());
    const spec = aSpec({ priority: i % 2_000 === 1_999 ? "high" : "normal", tags: ["release"] });
    jobs.processor.stage(ids[i]!, null, { type: "create", spec, idempotency: null }, TESTER);
    if (i % 400 === 0) await jobs.log.drain();
  }
  await jobs.log.drain();
  const pages: string[][] = [];
  let reads = 0;
  const store: Partial<Store> = {
    list: (...args) => {
      reads += 1;
      return jobs.store.list(...args);
    },
  };
  const sources = { ...jobs, store: store as Store };
  const selection: BulkSelection = { action: "cancel", filter: { tag: "release", priority: "high" } };
  const readsOfPages: number[] = [];
  for await (const page of selectedJobs(sources, selection, { signal: NEVER })) {
    pages.push(page.map(({ id }) => id));
    readsOfPages.push(reads);
  }
  assertEquals(pages, [7_999, 5_999, 3_999, 1_999].map((i) => [ids[i]!]));
  assert(readsOfPages[0]! < reads / 3, `${readsOfPages[0]} of ${reads} reads`);
});

runtimeTest("a bulk operation tells how far it is", {}, async (test) => {
  await createMany(test, 1_500);
  const operation = await startBulk(test, { action: "cancel", filter: {} });
  const { progress } = await endOf(test, operation);
  assertEquals(progress, { percent: 100, note: "1,500 of 1,500 cancelled" });
  assertMatch(JSON.stringify((await test.events(operation)).map(({ type }) => type)), /job.progressed/);
});
