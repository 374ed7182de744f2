import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { BatchTooLargeError } from "../../src/actors/errors.ts";
import type { CreateOutcome } from "../../src/actors/jobs.ts";
import { LogUnavailableError, UnknownOutcomeError } from "../../src/events/errors.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { type CommitFault, FaultyStore } from "../support/faulty_store.ts";
import { settle } from "../support/manual_clock.ts";
import { COMMIT_FATES } from "./support/commit_fates.ts";
import { aSpec } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { runtimeTest, TestRuntime } from "./support/test_runtime.ts";

/** Due in the far future, so that nothing starts. */
const LATER = "2099-01-01T00:00:00.000Z";
const later = (count: number, text = "") =>
  Array.from({ length: count }, (_, n) => aSpec({ payload: { n, text }, scheduled_at: LATER }));

async function openFaulty() {
  const store = new FaultyStore(new MemoryStore());
  const test = await TestRuntime.open({ store, deadlineMs: 5_000, unknownAfterMs: 2_000 });
  return { store, test };
}

/** Of each job the name of its error, or `created`. */
function namesOf(outcomes: readonly CreateOutcome[]): string[] {
  return outcomes.map((outcome) => "error" in outcome ? outcome.error.name : "created");
}

async function total(test: TestRuntime): Promise<number> {
  return (await test.queries.stats()).total;
}

runtimeTest(
  "createMany() answers each job as it was created, in order, their ids ascending",
  {},
  async (test) => {
    const specs = later(400).map((spec, i) => ({ ...spec, tags: [`t${i % 3}`], queue: `q${i % 7}` }));
    const outcomes = await test.commands.createMany(specs, TESTER);
    const jobs = outcomes.map((outcome) => "job" in outcome ? outcome.job : undefined);
    assertEquals(jobs.map((job) => [job?.payload.n, job?.queue]), specs.map((_, i) => [i, `q${i % 7}`]));
    const ids = jobs.map((job) => job!.id);
    assertEquals(ids, ids.toSorted());
    for (const i of [0, 150, 399]) assertEquals(await test.job(ids[i]!), jobs[i]);
  },
);

runtimeTest(
  "createMany() gives free slots to the most urgent jobs, the first of them first",
  {},
  async (test) => {
    const priorities = ["low", "high", "normal", "high", "high"] as const;
    const specs = priorities.map((priority, n) => aSpec({ priority, payload: { n } }));
    const outcomes = await test.commands.createMany(specs, TESTER);
    assertEquals(outcomes.map((outcome) => "job" in outcome && outcome.job.status), Array(5).fill("queued"));
    await settle();
    assertEquals(test.runs.map(({ payload }) => payload.n), [1, 3]);
    for (const next of [4, 2, 0]) {
      test.open[0]!.resolve();
      await settle();
      assertEquals(test.runs.at(-1)?.payload.n, next);
    }
  },
);

Deno.test("createMany() starts a job in the commit that creates it, all together or not", async () => {
  for (const atomic of [false, true]) {
    const { store, test } = await openFaulty();
    const before = store.commits.length;
    await test.commands.createMany([aSpec(), aSpec()], TESTER, { atomic });
    await settle();
    assertEquals([test.runs.length, store.commits.length - before], [2, 1]);
    await test.close();
  }
});

Deno.test("createMany() takes 1000 jobs of 16 KiB, each commit within Deno KV's limits", async () => {
  const { store, test } = await openFaulty();
  const specs = later(1000, "x".repeat(16 * 1024));
  const names = namesOf(await test.commands.createMany(specs, TESTER));
  assertEquals(names.filter((name) => name === "created").length, 1000);
  for (const { mutations, bytes, keyBytes } of store.commits) {
    assert(mutations <= 1000 && bytes <= 800 * 1024 && keyBytes <= 80 * 1024);
  }
  assertEquals(await total(test), 1000);
  await test.close();
});

Deno.test("createMany() lets another's job wait for two commits of a large batch and no more", async () => {
  const { store, test } = await openFaulty();
  const release = store.hold();
  const before = store.commits.length;
  const batch = test.commands.createMany(later(1000, "x".repeat(8 * 1024)), TESTER);
  await settle();
  let waited = 0;
  const other = test.commands.create(aSpec(), TESTER).then(() => waited = store.commits.length - before);
  release();
  await Promise.all([batch, other]);
  assert(waited <= 4, `${waited} commits had begun when it landed`);
  assert(store.commits.length - before > 10);
  await test.close();
});

for (const { name, fault, fate } of COMMIT_FATES) {
  Deno.test(`createMany() makes all of an atomic batch or none, in one commit (${name})`, async () => {
    const { store, test } = await openFaulty();
    const before = store.commits.length;
    store.onCommits(fault);
    const creating = test.commands.createMany(later(100), TESTER, { atomic: true });
    await test.clock.advanceAsync(60_000);
    assertEquals(new Set(namesOf(await creating)), new Set([fate]));
    assertEquals(await total(test), fate === "created" ? 100 : 0);
    assertEquals(store.commits[before]!.commit.puts.filter(({ key }) => key[0] === "0l").length, 100);
    await test.close();
  });
}

Deno.test("createMany() tells of each job what became of it, whichever commits are lost", async () => {
  const faults = fc.array(
    fc.constantFrom<CommitFault>(
      "none",
      "none",
      "lost_commit",
      "lost_answer",
      "doubled",
      "swallowed",
      "silent",
    ),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(faults, fc.integer({ min: 1, max: 700 }), async (faults, count) => {
      const { store, test } = await openFaulty();
      store.onCommits(...faults);
      const creating = test.commands.createMany(later(count), TESTER);
      await test.clock.advanceAsync(120_000);
      const outcomes = await creating;
      assertEquals(outcomes.length, count);
      store.heal();
      const created = outcomes.filter((outcome) => "job" in outcome);
      const names = namesOf(outcomes);
      const unknown = names.filter((name) => name === "UnknownOutcomeError").length;
      const refused = names.filter((name) => name === "LogUnavailableError").length;
      assertEquals(created.length + unknown + refused, count);
      const landedUnknown = await total(test) - created.length;
      assert(landedUnknown >= 0 && landedUnknown <= unknown, `${landedUnknown} of ${unknown}`);
      for (const { job } of created.slice(0, 20)) assertEquals((await test.job(job.id)).id, job.id);
      await test.close();
    }),
    { numRuns: 30 },
  );
});

Deno.test("createMany() says of a batch whose commit is in doubt for long that nobody knows", async () => {
  const { store, test } = await openFaulty();
  store.onCommits("swallowed");
  store.onReads(...Array(10).fill("rejects"));
  const creating = test.commands.createMany(later(900), TESTER);
  await test.clock.advanceAsync(8_000);
  const outcomes = await creating;
  const [first, last] = [outcomes[0]!, outcomes.at(-1)!];
  assert("error" in first && first.error instanceof UnknownOutcomeError);
  assert("error" in last && last.error instanceof LogUnavailableError, "it was never sent");
  await test.clock.advanceAsync(60_000);
  assertEquals(await total(test), 0);
  await test.close();
});

Deno.test("createMany() keeps a job that is too large for the log to itself", async () => {
  const { test } = await openFaulty();
  const specs = [aSpec({ scheduled_at: LATER }), ...later(1, "x".repeat(61_000)), ...later(1)];
  assertEquals(namesOf(await test.commands.createMany(specs, TESTER)), [
    "created",
    "EventTooLargeError",
    "created",
  ]);
  await assertRejects(() => test.commands.createMany(specs, TESTER, { atomic: true }), BatchTooLargeError);
  assertEquals(await total(test), 2);
  await test.close();
});
