import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { LogUnavailableError, UnknownOutcomeError } from "../../src/events/errors.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { type CommitFault, FaultyStore, type ReadFault } from "../support/faulty_store.ts";
import { settle } from "../support/manual_clock.ts";
import { aSpec } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { SlowStore } from "./support/slow_store.ts";
import { TestRuntime } from "./support/test_runtime.ts";

const FAULTS: readonly CommitFault[] = [
  "lost_answer",
  "lost_commit",
  "doubled",
  "silent",
  "swallowed",
  { late: "rejects", before: 1 },
  { late: "rejects", before: 2 },
  { late: "rejects", before: 3 },
  { late: "never answers", before: 1 },
  { late: "never answers", before: 2 },
];

async function openFaulty(options = {}): Promise<{ store: FaultyStore; test: TestRuntime }> {
  const store = new FaultyStore(new MemoryStore());
  return {
    store,
    test: await TestRuntime.open({ store, deadlineMs: 5_000, unknownAfterMs: 2_000, ...options }),
  };
}

for (const fault of FAULTS) {
  const name = typeof fault === "string" ? fault : `${fault.late}, lands ${fault.before} operations later`;
  Deno.test(`the outcome of a handler is written exactly once though its commit fails (${name})`, async () => {
    const { store, test } = await openFaulty({ concurrency: 1 });
    const [id, next] = [await test.create(), await test.create()];
    store.onCommits(fault);
    test.runOf(id).resolve({ done: true });
    await test.clock.advanceAsync(60_000);
    assertEquals(await test.story(id), ["created", "started", "completed"]);
    assertEquals([await test.status(next), test.runs.length], ["processing", 2]);
    await test.close();
    assertEquals(test.errors, []);
  });
}

Deno.test("every outcome is written exactly once, and no handler begins without a start on disk, whatever the store does", async () => {
  const anyFault = fc.oneof(
    { weight: 3, arbitrary: fc.constant<CommitFault>("none") },
    { weight: 4, arbitrary: fc.constantFrom(...FAULTS) },
  );
  const anyRead = fc.constantFrom<ReadFault>("none", "none", "none", "rejects", "never answers");
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyFault, { maxLength: 12 }),
      fc.array(anyRead, { maxLength: 6 }),
      fc.array(fc.constantFrom("create", "end", "fail", "cancel", "settle", "wait", "update"), {
        maxLength: 30,
      }),
      async (faults, reads, deeds) => {
        const { store, test } = await openFaulty();
        store.onCommits(...faults);
        store.onReads(...reads);
        const wishes: Promise<unknown>[] = [];
        const ids = new Set<string>();
        for (const deed of deeds) {
          const id = [...ids].at(-1);
          if (deed === "create") {
            wishes.push(test.commands.create(aSpec(), TESTER).then(({ job }) => ids.add(job.id), refused));
          }
          if (deed === "end") test.open[0]?.resolve({});
          if (deed === "fail") test.open[0]?.reject(new Error("no luck"));
          if (deed === "cancel" && id) wishes.push(test.commands.cancel(id, TESTER).catch(refused));
          if (deed === "update" && id) {
            wishes.push(test.commands.update(id, { priority: "high" }, TESTER).catch(refused));
          }
          if (deed === "settle") await settle();
          if (deed === "wait") await test.clock.advanceAsync(3_000);
        }
        store.heal();
        await test.clock.advanceAsync(60_000);
        await Promise.all(wishes);
        const log = await test.runtime.log.read(0, 10_000);
        const starts = log.filter(({ event }) => event.type === "job.started")
          .map(({ event }) => `${event.stream} ${event.data.attempt}`);
        const begun = test.runs.map(({ jobId, context }) => `job/${jobId} ${context.attempt}`);
        assertEquals(begun.toSorted(), starts.toSorted(), "handlers begun are not the starts on disk");
        await test.close();
        assertEquals(test.errors, []);
      },
    ),
    { numRuns: 60 },
  );
});

/** What a caller may be told; anything else is a mistake. */
function refused(error: unknown): void {
  const names = ["LogUnavailableError", "UnknownOutcomeError", "TransitionRefusedError"];
  if (!names.includes((error as Error).name)) throw error;
}

Deno.test("a caller learns within two seconds that it is not known whether the write landed, and the others that it did not", async () => {
  const { store, test } = await openFaulty();
  store.onCommits("swallowed");
  store.onReads("rejects", "rejects", "rejects", "rejects", "rejects", "rejects", "rejects", "rejects");
  const unknown = test.commands.create(aSpec(), TESTER);
  const told = assertRejects(() => unknown, UnknownOutcomeError);
  await test.clock.advanceAsync(5_000);
  const refusal = assertRejects(() => test.commands.create(aSpec(), TESTER), LogUnavailableError);
  await test.clock.advanceAsync(2_000);
  await told;
  await refusal;
  assertEquals(test.queries.ready().ready, false);
  await test.clock.advanceAsync(60_000);
  assertEquals(test.queries.ready().ready, true);
  assertEquals((await test.queries.stats()).total, 0);
  await test.close();
});

Deno.test("a handler whose progress cannot be written goes on", async () => {
  const { store, test } = await openFaulty();
  const id = await test.create();
  store.onCommits("lost_commit");
  test.runOf(id).context.progress(10);
  test.runOf(id).context.progress(20);
  await test.clock.advanceAsync(30_000);
  test.runOf(id).context.progress(30);
  await settle();
  assertEquals((await test.job(id)).progress?.percent, 30);
  await test.close();
  assertEquals(test.errors, []);
});

/** So many other jobs have passed through that the running one is no longer at hand. */
async function crowdOut(test: TestRuntime): Promise<void> {
  for (let i = 0; i < 7_000; i += 1_000) {
    const specs = Array.from({ length: 1_000 }, () => aSpec({ job_type: "gone" }));
    await Promise.all(specs.map((spec) => test.commands.create(spec, TESTER)));
  }
}

Deno.test("progress of a job is recorded though its state is no longer at hand", async () => {
  const test = await TestRuntime.open();
  const id = await test.create();
  await crowdOut(test);
  test.runOf(id).context.progress(50, "half");
  await settle();
  assertEquals((await test.job(id)).progress, { percent: 50, note: "half" });
  await test.close();
});

Deno.test("an outcome is kept while its job cannot be read, and written when it can", async () => {
  const store = new SlowStore(new MemoryStore());
  const test = await TestRuntime.open({ store });
  const id = await test.create();
  await crowdOut(test);
  // Of a job that was only started its events are all there is.
  store.slow.add("list");
  test.runOf(id).resolve({ done: true });
  await settle();
  assertEquals(store.waiting, 1);
  store.fail();
  store.slow.clear();
  await test.clock.advanceAsync(5_000);
  assertEquals(await test.status(id), "completed");
  assertEquals(test.errors.map(String), ["Error: the store cannot be reached"]);
  await test.close();
});

Deno.test("a due job that cannot be read is found again and started when it can", async () => {
  const store = new SlowStore(new MemoryStore());
  const test = await TestRuntime.open({ store, concurrency: 1 });
  const running = await test.create();
  const id = await test.create();
  await crowdOut(test);
  store.slow.add("getMany");
  test.runOf(running).resolve();
  await settle();
  while (store.waiting > 0) store.fail();
  store.slow.clear();
  await test.clock.advanceAsync(60_000);
  assertEquals(await test.status(id), "processing");
  assert(test.restarts.length > 0);
  await test.close();
});
