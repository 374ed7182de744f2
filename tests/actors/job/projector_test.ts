import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import fc from "fast-check";
import { join } from "node:path";
import type { JobSpec } from "../../../src/actors/jobs.ts";
import { TransitionRefusedError } from "../../../src/actors/errors.ts";
import { tagKey } from "../../../src/actors/job/keys.ts";
import { KvStore } from "../../../src/events/kv_store.ts";
import type { MemoryStore } from "../../../src/events/memory_store.ts";
import { assertProjectionsMatchLog, projectionDifferences } from "../../support/consistency.ts";
import { anySpec, anyWish, type Wish } from "../support/commands.ts";
import { aSpec } from "../support/facts.ts";
import { type LogOfJobs, logOfJobs, TESTER } from "../support/log_of_jobs.ts";

type Step =
  | { readonly type: "create"; readonly spec: JobSpec; readonly key: string | null }
  | { readonly type: "wish"; readonly job: number; readonly wish: Wish }
  /** Ends the batch. */
  | { readonly type: "flush" }
  | { readonly type: "jump"; readonly ms: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("create" as const),
      spec: anySpec,
      key: fc.option(fc.uuid(), { nil: null }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ type: fc.constant("wish" as const), job: fc.nat(), wish: anyWish }),
  },
  { weight: 3, arbitrary: fc.constant({ type: "flush" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("jump" as const),
      ms: fc.integer({ min: -60_000, max: 90_000 }),
    }),
  },
);

async function play({ log, states, processor, clock, newJobId }: LogOfJobs, steps: readonly Step[]) {
  const ids: string[] = [];
  for (const step of steps) {
    if (step.type === "flush") await log.drain();
    else if (step.type === "jump") clock.jump(step.ms);
    else if (step.type === "create") {
      const id = newJobId();
      const expires_at = new Date(clock.now() + 86_400_000).toISOString();
      const idempotency = step.key === null ? null : { key_hash: step.key, body_hash: "b", expires_at };
      processor.stage(id, null, { type: "create", spec: step.spec, idempotency }, TESTER);
      ids.push(id);
    } else if (ids.length > 0) {
      const id = ids[step.job % ids.length]!;
      const state = await states.latest(id);
      try {
        processor.stage(id, state, step.wish(state), TESTER);
      } catch (error) {
        assert(error instanceof TransitionRefusedError, String(error));
      }
    }
  }
  await log.drain();
  return ids;
}

Deno.test("rows, indexes, counts and the running row equal the fold of the log after any commands in any batches", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 80 }), async (steps) => {
      const jobs = await logOfJobs();
      await play(jobs, steps);
      await assertProjectionsMatchLog(jobs.store);
    }),
    { numRuns: 150 },
  );
});

Deno.test("a process that opens the log later goes on from the rows as if it had written them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 5 }), fc.array(anyStep), async (before, after) => {
      const first = await logOfJobs();
      await play(first, before);
      const second = await logOfJobs({ store: first.store, clock: first.clock });
      assertEquals([...second.running.ids].sort(), [...first.running.ids].sort());
      assertEquals(await second.queries.stats(), await first.queries.stats());
      await play(second, after);
      await assertProjectionsMatchLog(second.store);
    }),
    { numRuns: 40 },
  );
});

Deno.test("a tag that stays when the others change is still found", async () => {
  const { store, log, processor, newJobId } = await logOfJobs();
  const id = newJobId();
  const spec = aSpec({ tags: ["stays", "goes"] });
  processor.stage(id, null, { type: "create", spec, idempotency: null }, TESTER);
  await log.drain();
  await processor.execute(id, { type: "update", changes: { tags: ["comes", "stays"] } }, TESTER);
  const tags = await store.list({ prefix: ["g"] }, { limit: 10 });
  assertEquals(tags.map(({ key }) => key), [tagKey("comes", id), tagKey("stays", id)]);
});

Deno.test("a job that becomes final twice in one batch is counted twice", async () => {
  const { log, processor, states, newJobId, queries } = await logOfJobs();
  const id = newJobId();
  processor.stage(id, null, { type: "create", spec: aSpec(), idempotency: null }, TESTER);
  for (const type of ["cancel", "retry", "cancel", "retry"] as const) {
    processor.stage(id, states.peek(id)!, { type }, TESTER);
  }
  await log.drain();
  const { by_status, throughput } = await queries.stats();
  assertEquals([by_status.queued, by_status.cancelled, throughput.last_minute.cancelled], [1, 0, 2]);
});

Deno.test("rows, indexes, counts and the running row equal the fold of the log on a Deno KV file too", async () => {
  const dir = await Deno.makeTempDir();
  const path = join(dir, "log.kv");
  try {
    const jobs = await logOfJobs({ store: new KvStore(await Deno.openKv(path)) });
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 60, maxLength: 80 }), async (steps) => {
        await play(jobs, steps);
      }),
      { numRuns: 10, endOnFailure: true },
    );
    await jobs.log.close();
    const store = new KvStore(await Deno.openKv(path));
    await assertProjectionsMatchLog(store);
    store.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("assertProjectionsMatchLog() names what was changed, is missing or has no reason", async () => {
  const jobs = await logOfJobs();
  const id = jobs.newJobId();
  jobs.processor.stage(id, null, { type: "create", spec: aSpec({ tags: ["t"] }), idempotency: null }, TESTER);
  await jobs.log.drain();
  const store = jobs.store as MemoryStore;
  const head = await store.get(["h", 0]);
  await store.commit({
    check: { key: ["h", 0], versionstamp: head.versionstamp },
    puts: [{ key: ["g", "forged", id], value: new Uint8Array() }, {
      key: ["r"],
      value: new TextEncoder().encode('["x"]'),
    }],
    deletes: [["g", "t", id]],
  });
  const differences = await projectionDifferences(store);
  assertEquals(differences.length, 3);
  assertMatch(differences[0]!, /^\["g","t",".*"\] is missing/);
  assertMatch(differences[1]!, /^\["r"\] is \["x"\], should be \[\]$/);
  assertMatch(differences[2]!, /^\["g","forged",".*"\] should not be there/);
  await assertRejects(() => assertProjectionsMatchLog(store), Error, "3 differences between the log");
});
