import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { evolve, POSITIONS_PER_CHUNK } from "../../src/actors/job/evolve.ts";
import { rowKey } from "../../src/actors/job/keys.ts";
import { decodeJson } from "../../src/actors/job/row.ts";
import type { JobState } from "../../src/actors/job/state.ts";
import { assertProjectionsMatchLog } from "../support/consistency.ts";
import { aSpec, created, fact, fold, stored } from "./support/facts.ts";
import { type LogOfJobs, logOfJobs, TESTER } from "./support/log_of_jobs.ts";

/** A job with a history of so many events, `perBatch` of them in each commit. */
async function longJob({ processor, log, states, newJobId }: LogOfJobs, events: number, perBatch: number) {
  const id = newJobId();
  processor.stage(id, null, { type: "create", spec: aSpec(), idempotency: null }, TESTER);
  for (let i = 1; i < events; i++) {
    if (i % perBatch === 0) await log.drain();
    processor.stage(id, states.peek(id)!, { type: "update", changes: { timeout_seconds: i } }, TESTER);
  }
  await log.drain();
  return id;
}

Deno.test("a job's row keeps its latest positions only, however long its history grows", () => {
  let state: JobState = fold(created());
  for (let version = 2; version <= 1_000; version++) {
    state = evolve(state, stored(fact("job.updated", { max_retries: 1 }), { version }))!;
    const kept = state.positions.length;
    assertEquals(state.positions.at(-1), version - 1);
    assertEquals((version - kept) % POSITIONS_PER_CHUNK, 0);
    assertEquals(kept <= 2 * POSITIONS_PER_CHUNK && kept > 0, true);
  }
});

Deno.test("history() returns every event exactly once, for any page of a history of several chunks", async () => {
  const jobs = await logOfJobs();
  const events = 5 * POSITIONS_PER_CHUNK + 17;
  const id = await longJob(jobs, events, 50);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: events + 5 }),
      fc.integer({ min: 1, max: 500 }),
      async (after, limit) => {
        const page = await jobs.queries.history(id, after, limit);
        const count = Math.max(0, Math.min(limit, events - after));
        assertEquals(
          page!.map(({ version }) => version),
          Array.from({ length: count }, (_, i) => after + 1 + i),
        );
      },
    ),
    { numRuns: 300 },
  );
  for (const boundary of [0, 63, 64, 65, 127, 128, 129, 256, events - 1, events]) {
    const page = await jobs.queries.history(id, boundary, 1);
    assertEquals(page!.map(({ version }) => version), boundary < events ? [boundary + 1] : []);
  }
});

Deno.test("history() pages through a history of any length, written in batches of any size", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 1, max: 150 }),
      async (events, perBatch, limit) => {
        const jobs = await logOfJobs();
        const id = await longJob(jobs, events, perBatch);
        const versions: number[] = [];
        for (let page; (page = await jobs.queries.history(id, versions.length, limit))!.length > 0;) {
          versions.push(...page!.map(({ version }) => version));
        }
        assertEquals(versions, Array.from({ length: events }, (_, i) => i + 1));
        await assertProjectionsMatchLog(jobs.store);
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("more than 300 events of one job in a single commit spill all their chunks", async () => {
  const jobs = await logOfJobs();
  const id = await longJob(jobs, 390, 1_000);
  const { value } = await jobs.store.get(rowKey(id));
  assertEquals(decodeJson<JobState>(value!).version, 390);
  assertEquals((await jobs.store.list({ prefix: ["p", id] }, { limit: 100 })).length, 5);
  assertEquals((await jobs.queries.history(id, 0, 1_000))!.length, 390);
  await assertProjectionsMatchLog(jobs.store);
});

Deno.test("history() knows nothing of a job that is not there or was deleted", async () => {
  const jobs = await logOfJobs();
  assertEquals(await jobs.queries.history(jobs.newJobId(), 0, 10), undefined);
  const id = await longJob(jobs, 3, 1);
  await jobs.processor.execute(id, { type: "cancel" }, TESTER);
  assertEquals((await jobs.queries.history(id, 0, 10))!.map(({ type }) => type).at(-1), "job.cancelled");
  await jobs.processor.execute(id, { type: "delete" }, TESTER);
  assertEquals(await jobs.queries.history(id, 0, 10), undefined);
});
