/**
 * When a bulk operation acts, and what it says of how far it is.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { BulkAction } from "../../src/actors/bulk_job_type.ts";
import { bulkOperation, type BulkOperationParts } from "../../src/actors/bulk_operation.ts";
import { selectedJobs } from "../../src/actors/bulk_selection.ts";
import type { BulkSelection } from "../../src/actors/jobs.ts";
import type { Store } from "../../src/events/store.ts";
import type { HandlerContext } from "../../src/handlers/handler.ts";
import { bulkSpec } from "./support/bulk.ts";
import { aSpec } from "./support/facts.ts";
import { type LogOfJobs, logOfJobs, TESTER } from "./support/log_of_jobs.ts";

const NEVER = new AbortController().signal;
const DONE = { cancel: "cancelled", delete: "deleted" } as const;

/**
 * So many tagged jobs, and an operation's job. For a delete they are cancelled, and so many others completed that it walks
 * over the tagged ones for these as well.
 */
async function tagged(count: number, action: BulkAction): Promise<{ jobs: LogOfJobs; operation: string }> {
  const jobs = await logOfJobs();
  const { processor, log } = jobs;
  const create = (spec = aSpec({ tags: ["red"] })) =>
    processor.create({ type: "create", spec, idempotency: null }, TESTER).after.id;
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    ids.push(create());
    if (i % 400 === 399) await log.drain();
  }
  await log.drain();
  if (action === "delete") {
    await Promise.all(ids.map((id) => processor.execute(id, { type: "cancel" }, TESTER)));
    for (let i = 0; i < 250; i++) complete(jobs, create(aSpec({ queue: "mail" })));
  }
  const operation = create(bulkSpec({}));
  await log.drain();
  return { jobs, operation };
}

function complete({ processor, states }: LogOfJobs, id: string): void {
  const outcome = { type: "completed", result: null } as const;
  processor.stage(id, states.peek(id)!, { type: "start" }, TESTER);
  processor.stage(id, states.peek(id)!, { type: "settle", attempt: 1, outcome, progress: null }, TESTER);
}

function run(parts: BulkOperationParts, operation: string, selection: BulkSelection) {
  const progress: [number, string][] = [];
  const context = {
    jobId: operation,
    attempt: 1,
    signal: NEVER,
    progress: (percent: number, note: string) => progress.push([percent, note]),
  };
  const result = bulkOperation(parts).run(selection, context as unknown as HandlerContext);
  return { result, progress };
}

for (const action of ["cancel", "delete"] as const) {
  Deno.test(`a bulk ${action} that no counter serves acts before it has looked at all jobs`, async () => {
    const { jobs, operation } = await tagged(8_000, action);
    const acted = Promise.withResolvers<void>();
    jobs.log.listen({
      landed: (appends) => {
        if (appends.some(({ change: { after } }) => after.phase === DONE[action])) acted.resolve();
      },
    });
    let reads = 0;
    // Of each status it looks for, the tag's index has sixteen pages.
    const store: Partial<Store> = {
      list: async (...args) => {
        if (++reads > 6) await acted.promise;
        return await jobs.store.list(...args);
      },
    };
    const parts = { ...jobs, sources: { ...jobs, store: store as Store } };
    const { changed } = await run(parts, operation, { action, filter: { tag: "red" } }).result;
    assertEquals(changed, 8_000);
    assert(reads >= 16, `${reads} reads`);
  });

  for (const filter of [{ tag: "red" }, { queue: "default" }]) {
    const title = `a bulk ${action} of ${JSON.stringify(filter)} tells tenths of a percent that never fall`;
    Deno.test(title, async () => {
      const { jobs, operation } = await tagged(2_999, action);
      const { result, progress } = run({ ...jobs, sources: jobs }, operation, { action, filter });
      await result;
      const percents = progress.map(([percent]) => percent);
      assertEquals(percents, percents.toSorted((a, b) => a - b));
      assertEquals(percents.map((percent) => Number(percent.toFixed(1))), percents);
      assert(new Set(percents).size >= 6, `${percents}`);
      const done = DONE[action];
      const note = "tag" in filter ? `0 ${done} so far` : `0 of 2,999 ${done}`;
      assertEquals([progress[0], progress.at(-1)], [[0, note], [100, `2,999 of 2,999 ${done}`]]);
    });
  }
}

Deno.test("a bulk operation whose filter few jobs fit tells how far it has looked", async () => {
  const { jobs, operation } = await tagged(4_000, "cancel");
  const selection: BulkSelection = { action: "cancel", filter: { tag: "red", priority: "critical" } };
  const { result, progress } = run({ ...jobs, sources: jobs }, operation, selection);
  assertEquals((await result).matched, 0);
  assert(progress.filter(([percent]) => percent > 0 && percent < 100).length >= 5, JSON.stringify(progress));
});

Deno.test("a bulk cancel finds a job that moved while it walked without a second walk", async () => {
  const { jobs, operation } = await tagged(2_000, "cancel");
  const { processor, queries } = jobs;
  // With fewer that wait, those are looked at and not the tag's index.
  for (let i = 0; i < 300; i++) {
    processor.create({ type: "create", spec: aSpec(), idempotency: null }, TESTER);
  }
  await jobs.log.drain();
  const selection: BulkSelection = { action: "cancel", filter: { tag: "red" } };
  let reads = 0;
  let oldest: string | undefined;
  const store: Partial<Store> = {
    list: async (...args) => {
      reads += 1;
      const entries = await jobs.store.list(...args);
      // Those that are processed have been read, and this one is passed over among those that wait.
      if (oldest !== undefined && entries.some(({ key }) => key.at(-1) === oldest)) {
        await processor.execute(oldest, { type: "start" }, TESTER);
        oldest = undefined;
      }
      return entries;
    },
  };
  const sources = { ...jobs, store: store as Store };
  for await (const page of selectedJobs(sources, selection, { signal: NEVER })) oldest = page.at(-1)!.id;
  const [readsOfOneWalk, missed] = [reads, oldest!];
  reads = 0;
  const { matched, changed } = await run({ ...jobs, sources }, operation, selection).result;
  assertEquals([matched, changed, oldest], [2_000, 2_000, undefined]);
  assert((await queries.get(missed))!.cancel_requested_at !== null);
  assertEquals(reads, readsOfOneWalk);
});
