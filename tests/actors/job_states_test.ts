import { assert, assertEquals } from "@std/assert";
import { StoredJobs } from "../../src/actors/stored_jobs.ts";
import { JobStates } from "../../src/actors/job_states.ts";
import type { JobState } from "../../src/actors/job/state.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { FaultyStore } from "../support/faulty_store.ts";
import { settle } from "../support/manual_clock.ts";
import { aSpec } from "./support/facts.ts";
import { type LogOfJobs, logOfJobs, TESTER } from "./support/log_of_jobs.ts";
import { SlowStore } from "./support/slow_store.ts";

function createJob({ processor, newJobId }: LogOfJobs, tag = "t"): string {
  const id = newJobId();
  processor.stage(id, null, { type: "create", spec: aSpec({ tags: [tag] }), idempotency: null }, TESTER);
  return id;
}

async function preload(states: JobStates, ids: readonly string[]): Promise<void> {
  await states.preload(() => Promise.resolve(ids.map((id) => ({ id }))));
}

async function createMany(jobs: LogOfJobs, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    ids.push(createJob(jobs));
    if (i % 300 === 0) await jobs.log.drain();
  }
  await jobs.log.drain();
  return ids;
}

Deno.test("JobStates shows readers what is on disk and deciders what is staged", async () => {
  const jobs = await logOfJobs();
  const id = createJob(jobs);
  assertEquals([jobs.states.peek(id)?.version, await jobs.states.committed(id)], [1, null]);
  await jobs.log.drain();
  assertEquals((await jobs.states.committed(id))?.version, 1);
  jobs.processor.stage(id, jobs.states.peek(id)!, { type: "cancel" }, TESTER);
  assertEquals((await jobs.states.latest(id))?.phase, "cancelled");
  assertEquals((await jobs.states.committed(id))?.phase, "queued.ready");
  await jobs.log.drain();
});

Deno.test("JobStates takes more jobs in flight than it keeps at hand", async () => {
  const jobs = await logOfJobs();
  const ids = Array.from({ length: 8_000 }, () => createJob(jobs));
  await jobs.log.drain();
  assertEquals(jobs.log.position, 8_000);
  const states = await Promise.all(ids.map((id) => jobs.states.latest(id)));
  assert(states.every((state) => state?.version === 1));
});

Deno.test("JobStates answers for all of many that are read at once, though it keeps only some at hand", async () => {
  const jobs = await logOfJobs();
  const ids = await createMany(jobs, 8_000);
  const later = await logOfJobs({ store: jobs.store, clock: jobs.clock });
  const states = await Promise.all(ids.map((id) => later.states.committed(id)));
  assert(states.every((state) => state?.version === 1));
});

Deno.test("JobStates takes commands for jobs from disk while more are in flight than it keeps at hand", async () => {
  const jobs = await logOfJobs();
  const old = createJob(jobs);
  await jobs.log.drain();
  const later = await logOfJobs({ store: jobs.store, clock: jobs.clock });
  for (let i = 0; i < 7_000; i++) createJob(later);
  const { after } = await later.processor.execute(old, { type: "cancel" }, TESTER);
  assertEquals([after.phase, after.version], ["cancelled", 2]);
  await later.log.drain();
});

Deno.test("JobStates soon lets go of jobs that are final, and keeps those that wait", async () => {
  const jobs = await logOfJobs();
  const { processor, states, log } = jobs;
  const waiting = createJob(jobs);
  const finals = Array.from({ length: 600 }, () => createJob(jobs));
  for (const id of finals) processor.stage(id, states.peek(id)!, { type: "cancel" }, TESTER);
  await log.drain();
  assertEquals([waiting, finals.at(-1)!].map((id) => states.peek(id)?.version), [1, 2]);
  assertEquals(finals.filter((id) => states.peek(id) !== undefined).length, 256);
  assertEquals((await states.latest(finals[0]!))?.phase, "cancelled");
});

Deno.test("JobStates keeps a final job that is at work again", async () => {
  const jobs = await logOfJobs();
  const { processor, states, log } = jobs;
  const again = createJob(jobs);
  for (const type of ["cancel", "retry"] as const) {
    processor.stage(again, states.peek(again)!, { type }, TESTER);
    await log.drain();
  }
  for (const id of Array.from({ length: 300 }, () => createJob(jobs))) {
    processor.stage(id, states.peek(id)!, { type: "cancel" }, TESTER);
  }
  await log.drain();
  assertEquals(states.peek(again)?.phase, "queued.ready");
});

Deno.test("JobStates forgets what was staged when the log lost it", async () => {
  const store = new FaultyStore(new MemoryStore());
  const jobs = await logOfJobs({ store });
  const id = createJob(jobs);
  await jobs.log.drain();
  store.onCommits("lost_commit");
  const { append } = jobs.processor.stage(id, jobs.states.peek(id)!, { type: "cancel" }, TESTER);
  const other = createJob(jobs);
  await append!.landed.catch(() => {});
  await settle();
  assertEquals(jobs.states.peek(id)?.phase, "queued.ready");
  assertEquals(jobs.states.peek(other), undefined);
  assertEquals(await jobs.states.latest(other), null);
});

Deno.test("JobStates never takes a row that was read before its job changed, evicted or not", async () => {
  const inner = new MemoryStore();
  const jobs = await logOfJobs({ store: inner });
  const [id, ...others] = await createMany(jobs, 7_000);
  const store = new SlowStore(inner);
  const states = new JobStates(new StoredJobs({ ...jobs, store }));
  // The old row is on its way while the job is read, changed and crowded out.
  store.slow.add("getMany");
  const early = states.latest(id!);
  await settle();
  store.slow.clear();
  const change = { before: await states.latest(id!) as JobState };
  await jobs.processor.execute(id!, { type: "cancel" }, TESTER);
  const after = (await jobs.states.committed(id!))!;
  states.landed([{ change: { ...change, after }, stream: "", events: [], landed: Promise.resolve() }]);
  for (let i = 0; i < others.length; i += 500) await preload(states, others.slice(i, i + 500));
  store.release();
  assertEquals((await early)?.phase, "cancelled");
});

Deno.test("JobStates loads every job in the end although others are read without a pause", async () => {
  const inner = new MemoryStore();
  const jobs = await logOfJobs({ store: inner });
  const ids = await createMany(jobs, 7_000);
  const store = new SlowStore(inner);
  const states = new JobStates(new StoredJobs({ ...jobs, store }));
  // One read never ends, while enough jobs pass through to crowd the first ones out.
  store.slow.add("getMany");
  const endless = states.latest(ids.at(-1)!);
  await settle();
  store.slow.clear();
  for (let i = 0; i < ids.length; i += 500) await preload(states, ids.slice(i, i + 500));
  assertEquals(states.peek(ids[0]!), undefined);
  let turns = 0;
  const first = states.latest(ids[0]!).finally(() => turns = Infinity);
  while (turns++ < 5) await settle();
  assertEquals(turns, Infinity, "the job that was crowded out is read again and again");
  assertEquals((await first)?.version, 1);
  store.release();
  await endless;
});
