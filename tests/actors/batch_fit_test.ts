import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { assertBatchFits, ONE_COMMIT } from "../../src/actors/batch_fit.ts";
import { BatchTooLargeError } from "../../src/actors/errors.ts";
import { JOB_PRIORITIES } from "../../src/actors/job/job.ts";
import type { JobSpec } from "../../src/actors/jobs.ts";
import { KvStore } from "../../src/events/kv_store.ts";
import { FaultyStore } from "../support/faulty_store.ts";
import { aSpec } from "./support/facts.ts";
import { logOfJobs, TESTER } from "./support/log_of_jobs.ts";

const RECORD = {
  key_hash: "a".repeat(64),
  body_hash: "b".repeat(64),
  expires_at: "2026-01-08T10:15:00.000Z",
};

function tooLarge(specs: readonly JobSpec[], withKeys = false): BatchTooLargeError {
  const jobs = specs.map((spec) => ({ spec, idempotency: withKeys ? RECORD : null }));
  return assertThrows(() => assertBatchFits(jobs, TESTER, "log"), BatchTooLargeError);
}

Deno.test("assertBatchFits() leaves out what may precede the batch: as many tags as jobs may have, each of its own", () => {
  const tags = (job: number) =>
    Array.from({ length: 20 }, (_, i) => `${job} ${i} `.padEnd(64, "\u{1f680}").slice(0, 64).toWellFormed());
  for (const scheduled_at of [null, "2099-01-01T00:00:00.000Z"]) {
    const specs = Array.from(
      { length: 100 },
      (_, i) => aSpec({ queue: `${i}`.padEnd(64, "q"), tags: tags(i), scheduled_at }),
    );
    assertBatchFits(specs.map((spec) => ({ spec, idempotency: RECORD })), TESTER, "log");
  }
});

Deno.test("assertBatchFits() foresees in how many bitmaps the jobs of a queue may lie, whatever is created between them", () => {
  const lanes = Array.from(
    { length: 142 },
    (_, i) => aSpec({ queue: `queue-${i >> 2}`, priority: JOB_PRIORITIES[i & 3]! }),
  );
  const others = Array(287).fill(aSpec({ scheduled_at: "2099-01-01T00:00:00.000Z" }));
  // 713 events may lie in three bitmaps, and each queue and priority has a job in each of them.
  const error = tooLarge([...lanes, ...others, ...lanes, ...lanes]);
  assertEquals([error.what, error.needed >= 3 * lanes.length + 2 * others.length], ["keys", true]);
});

Deno.test("assertBatchFits() counts the bytes of keys with long queue names and idempotency keys", () => {
  const specs = Array.from({ length: 100 }, (_, i) => aSpec({ queue: `${i}`.padEnd(64, "q") }));
  assertBatchFits(specs.map((spec) => ({ spec, idempotency: null })), TESTER, "log");
  const more = Array.from(
    { length: 140 },
    (_, i) =>
      aSpec({
        queue: `${i}`.padEnd(64, "q"),
        job_type: "t".repeat(64),
        scheduled_at: "2099-01-01T00:00:00.000Z",
      }),
  );
  assertEquals(tooLarge(more, true).what, "bytes of keys");
});

Deno.test("assertBatchFits() counts the bytes of events and rows", () => {
  const specs = Array(20).fill(aSpec({ payload: { text: "x".repeat(48_000) } }));
  assertEquals(tooLarge(specs).what, "bytes");
});

Deno.test("what assertBatchFits() lets through lands with one commit that Deno KV takes, no larger than was foreseen", async () => {
  const spec = fc.record({
    queue: fc.constantFrom("default", "q".repeat(64), "r".repeat(64), "mail"),
    tags: fc.uniqueArray(fc.string({ unit: "binary", minLength: 1, maxLength: 64, size: "max" }), {
      maxLength: 20,
      size: "max",
    }),
    payload: fc.record({ text: fc.integer({ min: 0, max: 5_000 }).map((length) => "€".repeat(length)) }),
  });
  const seen = { taken: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      // With a bias towards small values hardly any would be refused.
      fc.noBias(fc.array(spec, { minLength: 20, maxLength: 100, size: "max" })),
      fc.boolean(),
      async (wishes, withKeys) => {
        const store = new FaultyStore(new KvStore(await Deno.openKv(":memory:")));
        const { log, processor } = await logOfJobs({ store });
        const jobs = wishes.map((wish, i) => ({
          spec: aSpec({ ...wish, tags: wish.tags.map((tag) => tag.toWellFormed()) }),
          idempotency: withKeys ? { ...RECORD, key_hash: `${i}`.padStart(64, "0") } : null,
        }));
        try {
          assertBatchFits(jobs, TESTER, log.logId);
          seen.taken += 1;
        } catch (error) {
          assert(error instanceof BatchTooLargeError);
          seen.refused += 1;
          await log.close();
          return;
        }
        const staged = log.together(() =>
          jobs.map((job) => processor.create({ type: "create", ...job }, TESTER))
        );
        await Promise.all(staged.map(({ append }) => append!.landed));
        const { mutations, bytes, keyBytes } = store.commits.at(-1)!;
        // What is added to what was counted: the head, and undo records.
        assert(mutations <= ONE_COMMIT.mutations + 20, `${mutations} mutations`);
        assert(keyBytes <= ONE_COMMIT.keyBytes + 64, `${keyBytes} bytes of keys`);
        assert(bytes <= ONE_COMMIT.bytes + 512, `${bytes} bytes`);
        await log.close();
      },
    ),
    { numRuns: 60 },
  );
  assert(seen.taken > 5 && seen.refused > 5, JSON.stringify(seen));
});
