import { assert, assertEquals } from "@std/assert";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { StoredJobs } from "../../src/actors/stored_jobs.ts";
import { CountingStore } from "./support/counting_store.ts";
import { aSpec } from "./support/facts.ts";
import { type LogOfJobs, logOfJobs, TESTER } from "./support/log_of_jobs.ts";

/** Jobs one after another, each with a fate of its own: waiting, updated, running, completed, deleted. */
async function assorted(count: number): Promise<{ jobs: LogOfJobs; ids: string[]; counting: CountingStore }> {
  const counting = new CountingStore(new MemoryStore());
  const jobs = await logOfJobs({ store: counting });
  const { processor, states, log } = jobs;
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const { after } = processor.create({ type: "create", spec: aSpec(), idempotency: null }, TESTER);
    const tell = (command: Parameters<typeof processor.stage>[2]) =>
      processor.stage(after.id, states.peek(after.id)!, command, TESTER);
    const fate = i % 5;
    if (fate === 1) tell({ type: "update", changes: { priority: "high" } });
    if (fate >= 2) tell({ type: "start" });
    const outcome = { type: "completed", result: null } as const;
    if (fate >= 3) tell({ type: "settle", attempt: 1, outcome, progress: null });
    if (fate === 4) tell({ type: "delete" });
    ids.push(after.id);
    if (i % 50 === 0) await log.drain();
  }
  await log.drain();
  return { jobs, ids, counting };
}

Deno.test("jobs are read as they are at hand, whether a row, an event or both stand for them", async () => {
  const { jobs, ids } = await assorted(300);
  const expected = ids.map((id) => jobs.states.peek(id)!);
  assertEquals(await jobs.stored.read(ids), expected);
  assertEquals(await jobs.stored.read(ids.toReversed()), expected.toReversed(), "in any order");
  for (const i of [0, 1, 2, 3, 4]) {
    assertEquals(await jobs.stored.read([ids[i]!]), [expected[i]!], "one by one");
  }
  const nobody = jobs.newJobId();
  assertEquals(await jobs.stored.read([nobody, ids[0]!]), [null, expected[0]]);
});

Deno.test("another process reads the same from the store alone", async () => {
  const { jobs, ids } = await assorted(100);
  const expected = ids.map((id) => jobs.states.peek(id)!);
  const later = await logOfJobs({ store: jobs.store, clock: jobs.clock });
  assertEquals(await new StoredJobs({ ...later }).read(ids), expected);
});

Deno.test("jobs that were created one after another take a handful of reads, those far apart more", async () => {
  const { jobs, ids, counting } = await assorted(1_000);
  const near = ids.slice(400, 600);
  const few = await counting.during(() => jobs.stored.read(near));
  assert(few.requests <= 20, `${few.requests} requests for 200 jobs`);
  const apart = ids.filter((_, i) => i % 40 === 0);
  const states = await jobs.stored.read(apart);
  assertEquals(states.map((state) => state!.id), apart);
});
