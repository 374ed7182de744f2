import { assert, assertEquals } from "@std/assert";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { type FoundJob, StoredJobs } from "../../src/actors/stored_jobs.ts";
import { CountingStore } from "./support/counting_store.ts";
import type { JobCommand } from "../../src/actors/job/commands.ts";
import type { JobStatus } from "../../src/actors/job/job.ts";
import { type JobState, statusOf } from "../../src/actors/job/state.ts";
import { LISTED_STATUSES } from "../../src/actors/job/stored.ts";
import { TransitionRefusedError } from "../../src/actors/errors.ts";
import fc from "fast-check";
import { anySpec, anyWish } from "./support/commands.ts";
import { aSpec } from "./support/facts.ts";
import { type LogOfJobs, logOfJobs, TESTER } from "./support/log_of_jobs.ts";

/** Of which nothing but the id is known. */
function found(ids: readonly string[]): FoundJob[] {
  return ids.map((id) => ({ id }));
}

/** Of which it is said where to look. */
function sought(ids: readonly string[], statuses: readonly JobStatus[], only: boolean): FoundJob[] {
  const search = { statuses, only };
  return ids.map((id) => ({ id, search }));
}

function ofStatus(states: readonly (JobState | null)[], status: JobStatus): JobState[] {
  return states.filter((state) => state !== null)
    .filter(({ phase }) => phase !== "deleted" && statusOf(phase) === status);
}

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
  assertEquals(await jobs.stored.read(found(ids)), expected);
  assertEquals(await jobs.stored.read(found(ids.toReversed())), expected.toReversed(), "in any order");
  for (const i of [0, 1, 2, 3, 4]) {
    assertEquals(await jobs.stored.read(found([ids[i]!])), [expected[i]!], "one by one");
  }
  for (const status of LISTED_STATUSES) {
    assertEquals(
      ofStatus(await jobs.stored.read(sought(ids, [status], true)), status),
      ofStatus(expected, status),
      status,
    );
    assertEquals(await jobs.stored.read(sought(ids, [status], false)), expected, `${status} first`);
  }
  const nobody = jobs.newJobId();
  assertEquals(await jobs.stored.read(found([nobody, ids[0]!])), [null, expected[0]]);
});

Deno.test("another process reads the same from the store alone", async () => {
  const { jobs, ids } = await assorted(100);
  const expected = ids.map((id) => jobs.states.peek(id)!);
  const later = await logOfJobs({ store: jobs.store, clock: jobs.clock });
  assertEquals(await new StoredJobs({ ...later }).read(found(ids)), expected);
});

Deno.test("jobs that an index has, created one after another, take a handful of reads; others one each", async () => {
  const { jobs, ids, counting } = await assorted(1_000);
  const waiting = ids.filter((_, i) => i % 5 < 2).slice(100, 300);
  const few = await counting.during(async () => {
    const states = await jobs.stored.read(waiting.map((id) => ({ id, entry: new Uint8Array() })));
    assertEquals(states, waiting.map((id) => jobs.states.peek(id)!));
  });
  assert(few.requests <= 20, `${few.requests} requests for 200 jobs`);
  const running = [...jobs.running.ids];
  const started = await counting.during(() => jobs.stored.read(found(running)));
  assert(started.requests <= 20, `${started.requests} requests for ${running.length} running jobs`);
  const many = await counting.during(() => jobs.stored.read(found(ids.slice(400, 600))));
  assert(many.requests <= 220, `${many.requests} requests for 200 jobs`);
});

Deno.test("a job that moves to another queue, or between statuses, is found by its id alone", async () => {
  let jobs = await logOfJobs();
  const create = { type: "create", spec: aSpec(), idempotency: null } as const;
  const { after: { id } } = jobs.processor.create(create, TESTER);
  const commands: JobCommand[] = [
    { type: "update", changes: { queue: "other", scheduled_at: "2099-01-01T00:00:00.000Z" } },
    { type: "cancel" },
    { type: "retry" },
    { type: "update", changes: { queue: "default" } },
    { type: "start" },
    { type: "settle", attempt: 1, outcome: { type: "released" }, progress: null },
    { type: "cancel" },
    { type: "delete" },
  ];
  for (const command of commands) {
    await jobs.processor.execute(id, command, TESTER);
    const expected = [jobs.states.peek(id)!];
    assertEquals(await jobs.stored.read([{ id }]), expected, command.type);
    jobs = await logOfJobs({ store: jobs.store, clock: jobs.clock });
    assertEquals(await jobs.stored.read([{ id }]), expected, `${command.type}, another process`);
  }
});

Deno.test("a job is read from disk as it is at hand, by its id and in lists, whatever happened to it and in whatever batches", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          job: fc.nat(4),
          wish: anyWish,
          land: fc.boolean(),
          times: fc.constantFrom(1, 1, 1, 1, 1, 1, 200),
        }),
        { minLength: 5, maxLength: 60 },
      ),
      fc.array(anySpec, { minLength: 5, maxLength: 5 }),
      // Whether all ids lead to the jobs' first events.
      fc.boolean(),
      async (steps, specs, allLead) => {
        const inner = new MemoryStore();
        const commit = inner.commit.bind(inner);
        inner.commit = (c) => {
          const puts = c.puts.map(({ key }) => JSON.stringify(key));
          const dels = c.deletes.map((k) => JSON.stringify(k));
          if (new Set([...puts, ...dels]).size !== puts.length + dels.length) {
            throw new Error("a key is in one commit twice");
          }
          return commit(c);
        };
        const jobs = await logOfJobs({ store: inner });
        const { processor, states, log, clock, stored, queries } = jobs;
        const ids = specs.map((spec, i) => {
          clock.jump(1);
          if (allLead || i % 2) {
            return processor.create({ type: "create", spec, idempotency: null }, TESTER).after.id;
          }
          const id = `019b97f3-dca0-7000-8000-00000000000${i}`;
          processor.stage(id, null, { type: "create", spec, idempotency: null }, TESTER);
          return id;
        });
        await log.drain();
        for (const { job, wish, land, times } of steps) {
          const id = ids[job]!;
          clock.jump(job * 100);
          for (let n = 0; n < times; n++) {
            try {
              processor.stage(id, states.peek(id)!, wish(states.peek(id)!), TESTER);
            } catch (error) {
              if (!(error instanceof TransitionRefusedError)) throw error;
              break;
            }
          }
          if (!land) continue;
          await log.drain();
          const read = await stored.read(ids.map((id) => ({ id })));
          for (const [i, state] of read.entries()) assertEquals(state, states.peek(ids[i]!));
          for (const status of LISTED_STATUSES) {
            const some = await stored.read(sought(ids, [status], true));
            assertEquals(ofStatus(some, status), ofStatus(read, status));
            some.forEach((state, i) => state && assertEquals(state, read[i]));
            assertEquals(await stored.read(sought(ids, [status], false)), read);
          }
          const listed = await queries.list({}, { limit: 50 });
          const want = ids.filter((id) => states.peek(id)!.phase !== "deleted").sort().reverse();
          assertEquals(
            listed.jobs.map(({ id, version }) => [id, version]),
            want.map((id) => [id, states.peek(id)!.version]),
          );
        }
      },
    ),
    { numRuns: 150 },
  );
});
