import { assert, assertEquals, assertRejects } from "@std/assert";
import { IdempotencyKeyReusedError } from "../../src/actors/errors.ts";
import type { CreateOutcome } from "../../src/actors/jobs.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { FaultyStore } from "../support/faulty_store.ts";
import { settle } from "../support/manual_clock.ts";
import { aSpec } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { runtimeTest, TestRuntime } from "./support/test_runtime.ts";

const DAY_MS = 24 * 3_600_000;
const LATER = "2099-01-01T00:00:00.000Z";
const KEY = { key: "order-7", bodyHash: "body-a" };

interface Given {
  readonly idempotency?: typeof KEY;
  readonly atomic?: boolean;
  readonly count?: number;
}

function create(test: TestRuntime, { idempotency = KEY, atomic = false, count = 3 }: Given = {}) {
  const specs = Array.from({ length: count }, (_, n) => aSpec({ payload: { n }, scheduled_at: LATER }));
  return test.commands.createMany(specs, TESTER, { atomic, idempotency });
}

/** Of each job its id and whether it was created now, or its error's name. */
function told(outcomes: readonly CreateOutcome[]) {
  return outcomes.map((outcome) =>
    "job" in outcome ? [outcome.job.id, outcome.created] : [outcome.error.name]
  );
}

async function total(test: TestRuntime): Promise<number> {
  return (await test.queries.stats()).total;
}

for (const atomic of [false, true]) {
  const batch = atomic ? "an atomic batch" : "a batch";

  runtimeTest(
    `createMany() answers ${batch} with a key that was used with its jobs as they are now`,
    {},
    async (test) => {
      const ids = told(await create(test, { atomic })).map(([id]) => id as string);
      await test.cancel(ids[1]!);
      const again = await create(test, { atomic });
      assertEquals(told(again), ids.map((id) => [id, false]));
      assertEquals(again.map((outcome) => "job" in outcome && outcome.job.status), [
        "queued",
        "cancelled",
        "queued",
      ]);
      assertEquals(await total(test), 3);
    },
  );

  runtimeTest(
    `createMany() refuses ${batch} with a key of another body, and creates none of it`,
    {},
    async (test) => {
      const [first] = told(await create(test, { atomic, count: 1 }));
      const error = await assertRejects(
        () => create(test, { atomic, idempotency: { ...KEY, bodyHash: "body-b" } }),
        IdempotencyKeyReusedError,
      );
      assertEquals([error.jobId, await total(test)], [first![0], 1]);
    },
  );

  runtimeTest(
    `createMany() makes ${batch} once of equals that race, and refuses those that differ`,
    {},
    async (test) => {
      const other = { ...KEY, bodyHash: "body-b" };
      const racers = await Promise.allSettled([
        create(test, { atomic }),
        create(test, { atomic, idempotency: other }),
        create(test, { atomic }),
      ]);
      const [first, second, third] = racers;
      assert(first?.status === "fulfilled" && third?.status === "fulfilled" && second?.status === "rejected");
      assert(second.reason instanceof IdempotencyKeyReusedError);
      assertEquals(told(third.value), told(first.value).map(([id]) => [id, false]));
      assertEquals(await total(test), 3);
    },
  );
}

runtimeTest(
  "createMany() keeps its keys apart from those of single jobs and of other tokens",
  {},
  async (test) => {
    await test.commands.create(aSpec({ scheduled_at: LATER }), TESTER, { ...KEY, bodyHash: "single" });
    assertEquals(told(await create(test)).map(([, created]) => created), [true, true, true]);
    const theirs = await test.commands.createMany([aSpec({ scheduled_at: LATER })], {
      ...TESTER,
      actor: "another",
    }, { idempotency: { ...KEY, bodyHash: "theirs" } });
    assertEquals(told(theirs).map(([, created]) => created), [true]);
  },
);

runtimeTest("createMany() forgets a key after 24 hours", {}, async (test) => {
  await create(test);
  await test.clock.advanceAsync(DAY_MS);
  const again = await create(test, { idempotency: { ...KEY, bodyHash: "body-b" } });
  assertEquals(told(again).map(([, created]) => created), [true, true, true]);
});

for (const atomic of [false, true]) {
  runtimeTest(
    `createMany() does not do the work of a deleted job again (${atomic ? "atomic" : "each by itself"})`,
    {},
    async (test) => {
      const ids = told(await create(test, { atomic })).map(([id]) => id as string);
      await test.cancel(ids[2]!);
      await test.commands.delete(ids[2]!, TESTER);
      assertEquals(told(await create(test, { atomic })), [
        [ids[0], false],
        [ids[1], false],
        ["IdempotentJobDeletedError"],
      ]);
      assertEquals(await total(test), 2);
    },
  );
}

Deno.test("createMany() still knows its keys after a restart", async () => {
  const before = await TestRuntime.open();
  const first = told(await create(before));
  const test = await TestRuntime.open({ store: before.store, clock: before.clock });
  assertEquals(told(await create(test)), first.map(([id]) => [id, false]));
  await test.close();
});

Deno.test("createMany() repeated after a commit was lost creates what was not created, and nothing twice", async () => {
  const store = new FaultyStore(new MemoryStore());
  const test = await TestRuntime.open({ store });
  store.onCommits("none", "lost_commit");
  const creating = create(test, { count: 400 });
  await test.clock.advanceAsync(10_000);
  const first = told(await creating);
  const lost = first.filter(([, created]) => created === undefined).length;
  assert(lost > 0 && lost < 400, `${lost} were lost`);
  const again = told(await create(test, { count: 400 }));
  assertEquals(again.filter(([, created]) => created).length, lost);
  first.forEach(([id, created], i) => created && assertEquals(again[i], [id, false]));
  assertEquals(await total(test), 400);
  await test.close();
});

Deno.test("createMany() repeated while it is not known whether the first landed never makes a job twice", async () => {
  const store = new FaultyStore(new MemoryStore());
  const test = await TestRuntime.open({ store, deadlineMs: 5_000, unknownAfterMs: 2_000 });
  store.onCommits({ late: "never answers", before: 9 });
  store.onReads(...Array(7).fill("rejects"));
  const first = create(test);
  await test.clock.advanceAsync(8_000);
  const unknown = Array(3).fill(["UnknownOutcomeError"]);
  assertEquals(told(await first), unknown);
  assertEquals(told(await create(test)), unknown);
  await test.clock.advanceAsync(60_000);
  await settle();
  store.heal();
  await create(test);
  assertEquals(await total(test), 3);
  await test.close();
});

Deno.test("createMany() frees a key whose batch was refused as a whole", async () => {
  const store = new FaultyStore(new MemoryStore());
  const test = await TestRuntime.open({ store });
  store.onCommits("lost_commit");
  const creating = create(test, { atomic: true });
  await test.clock.advanceAsync(10_000);
  assertEquals(told(await creating), Array(3).fill(["LogUnavailableError"]));
  assertEquals(told(await create(test, { atomic: true })).map(([, created]) => created), [true, true, true]);
  await test.close();
});
