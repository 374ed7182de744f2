import { assertEquals, assertRejects } from "@std/assert";
import { expiringRecords } from "../../src/actors/expiring_records.ts";
import { settle } from "../support/manual_clock.ts";
import { aSpec } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { runtimeTest, type TestRuntime } from "./support/test_runtime.ts";

const DAY_MS = 24 * 3_600_000;
const LATER = "2027-01-01T00:00:00.000Z";
const { signal } = new AbortController();

async function cancelledJobs(test: TestRuntime, count: number): Promise<string[]> {
  const specs = Array.from({ length: count }, () => aSpec({ scheduled_at: LATER }));
  const created = await Promise.all(specs.map((spec) => test.commands.create(spec, TESTER)));
  const ids = created.map(({ job }) => job.id);
  await Promise.all(ids.map((id) => test.commands.cancel(id, TESTER)));
  return ids;
}

runtimeTest(
  "deleteCancelledJobs() deletes what was cancelled long enough ago, and nothing else",
  {},
  async (test) => {
    const old = await cancelledJobs(test, 450);
    const waiting = await test.create({ scheduled_at: LATER });
    await test.clock.advanceAsync(DAY_MS);
    const recent = await cancelledJobs(test, 5);
    // Created long ago, cancelled just now.
    await test.cancel(waiting);
    const before = new Date(test.clock.now() - DAY_MS / 2);
    const records = expiringRecords(test.store, test.runtime.jobs, { ...TESTER, actor: "cleanup" });
    assertEquals(await records.deleteCancelledJobs(before, signal), 450);
    assertEquals(await records.deleteCancelledJobs(before, signal), 0);
    assertEquals(await test.queries.get(old[0]!), undefined);
    const left = await test.queries.list({ status: "cancelled" }, { limit: 100 });
    assertEquals(left.jobs.map(({ id }) => id).sort(), [waiting, ...recent].sort());
    const events = await test.runtime.log.read(0, 10_000);
    const deletions = events.filter(({ event }) => event.type === "job.deleted");
    assertEquals([deletions.length, deletions[0]?.event.actor], [450, "cleanup"]);
  },
);

runtimeTest("deleteCancelledJobs() passes over a job that somebody retries meanwhile", {}, async (test) => {
  const [first, second] = await cancelledJobs(test, 2);
  await test.clock.advanceAsync(DAY_MS);
  const records = expiringRecords(test.store, test.runtime.jobs, TESTER);
  const deleting = records.deleteCancelledJobs(new Date(test.clock.now()), signal);
  await test.commands.retry(first!, TESTER);
  assertEquals(await deleting, 1);
  await settle();
  assertEquals([await test.status(first!), await test.queries.get(second!)], ["processing", undefined]);
});

runtimeTest("the deletion of old records stops when it is told to", {}, async (test) => {
  const records = expiringRecords(test.store, test.runtime.jobs, TESTER);
  const stopped = AbortSignal.abort(new Error("stop now"));
  const now = new Date(test.clock.now());
  await assertRejects(() => records.deleteCancelledJobs(now, stopped), Error, "stop now");
  await assertRejects(() => records.deleteExpired(now, stopped), Error, "stop now");
});
