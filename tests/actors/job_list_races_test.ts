/**
 * Lists while jobs change under them, and where they walk the log: no job is missed, none shown as it never was.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { selectedJobs } from "../../src/actors/bulk_selection.ts";
import type { Job, JobStatus } from "../../src/actors/job/job.ts";
import { LISTS, ROWS } from "../../src/actors/job/keys.ts";
import { SCAN_LIMIT } from "../../src/actors/job_list.ts";
import type { JobFilter } from "../../src/actors/jobs.ts";
import { firstIdAt } from "../../src/events/ids.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { StoreEntry, StoreKey, StoreRange } from "../../src/events/store.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { aSpec } from "./support/facts.ts";
import { type LogOfJobs, logOfJobs, TESTER } from "./support/log_of_jobs.ts";
import { SlowStore } from "./support/slow_store.ts";

function create({ processor }: LogOfJobs, overrides: Parameters<typeof aSpec>[0] = {}): string {
  return processor.create({ type: "create", spec: aSpec(overrides), idempotency: null }, TESTER).after.id;
}

/** A list whose indexes are read already, all but the last of them answered. */
async function begunList(jobs: LogOfJobs, store: SlowStore) {
  store.slow = new Set(["list"]);
  const listing = jobs.queries.list({}, { limit: 10 });
  await settle();
  store.slow = new Set();
  while (store.waiting > 1) store.release();
  return async () => {
    store.release();
    return (await listing).jobs;
  };
}

Deno.test("a selection of what was there before a moment leaves alone what came after, in the log too", async () => {
  const jobs = await logOfJobs();
  const { log, clock } = jobs;
  const old = Array.from({ length: 80 }, (_, i) => create(jobs, { queue: `queue-${i}` }));
  await log.drain();
  clock.advance(60_000);
  const before = firstIdAt(clock.now());
  for (let i = 0; i < 1_500; i++) {
    if (i % 100 === 0) {
      await log.drain();
      clock.advance(1);
    }
    create(jobs, { queue: "queue-1" });
  }
  await log.drain();
  clock.advance(60_000);
  const { signal } = new AbortController();
  const ids: string[] = [];
  for await (const page of selectedJobs(jobs, { action: "cancel", filter: {} }, { signal, before })) {
    ids.push(...page.map(({ id }) => id));
  }
  assertEquals(ids, old.toReversed());
});

/** Each reading of it is a millisecond later, so that an event is dated after its job's id was drawn. */
class TickingClock extends ManualClock {
  override now(): number {
    this.jump(1);
    return super.now();
  }
}

Deno.test("a list that walks the log shows each job once, though events are dated after ids are drawn", async () => {
  const jobs = await logOfJobs({ clock: new TickingClock() });
  const { processor, states, log } = jobs;
  const ids: string[] = [];
  for (let i = 0; i < 1_200; i++) {
    ids.push(create(jobs, { queue: `queue-${i % 100}` }));
    if (i % 100 === 99) await log.drain();
  }
  const [busy] = ids;
  processor.stage(busy!, states.peek(busy!)!, { type: "start" }, TESTER);
  for (let i = 0; i < 799; i++) {
    const progress = { type: "progress", attempt: 1, percent: 1, note: null } as const;
    processor.stage(busy!, states.peek(busy!)!, progress, TESTER);
  }
  await log.drain();
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await jobs.queries.list({}, { limit: 500, ...(after !== undefined && { after }) });
    seen.push(...page.jobs.map(({ id }) => id));
    after = page.next;
  } while (after !== undefined);
  assertEquals(seen, ids.toReversed());
});

Deno.test("a job that is deleted while a list is read is shown as it was, or not at all", async () => {
  const store = new SlowStore(new MemoryStore());
  const jobs = await logOfJobs({ store });
  const id = create(jobs, { queue: "a" });
  await jobs.log.drain();
  await jobs.processor.execute(id, { type: "update", changes: { queue: "b" } }, TESTER);
  await jobs.processor.execute(id, { type: "cancel" }, TESTER);
  const finish = await begunList(jobs, store);
  await jobs.processor.execute(id, { type: "delete" }, TESTER);
  const shown = await finish();
  assert(shown.every(({ status, queue }) => status === "cancelled" && queue === "b"), JSON.stringify(shown));
});

Deno.test("a job that is cancelled while a list is read is shown as it was before or is after", async () => {
  const store = new SlowStore(new MemoryStore());
  const jobs = await logOfJobs({ store });
  const id = create(jobs, { payload: { to: "old" } });
  await jobs.log.drain();
  await jobs.processor.execute(id, { type: "update", changes: { payload: { to: "new" } } }, TESTER);
  const finish = await begunList(jobs, store);
  await jobs.processor.execute(id, { type: "cancel" }, TESTER);
  const [shown] = await finish();
  assertEquals(shown?.payload, { to: "new" });
});

/** Asks for some keys only when it may. */
class LateStore extends MemoryStore {
  readonly may = Promise.withResolvers<void>();
  waits = false;

  constructor(readonly isLate: (key: StoreKey) => boolean) {
    super();
  }

  override async getMany(keys: readonly StoreKey[]): Promise<(Uint8Array | null)[]> {
    if (keys.some(this.isLate)) await this.#turn();
    return await super.getMany(keys);
  }

  override async list(
    range: StoreRange,
    options: { limit: number; reverse?: boolean },
  ): Promise<StoreEntry[]> {
    if (this.isLate(range.prefix)) await this.#turn();
    return await super.list(range, options);
  }

  async #turn(): Promise<void> {
    this.waits = true;
    await this.may.promise;
  }
}

/** What a list shows while which something lands before the late keys are asked for. */
async function listAround(
  { queries, store }: LogOfJobs,
  filter: JobFilter,
  land: () => Promise<unknown>,
): Promise<Job[]> {
  const late = store as LateStore;
  const listing = queries.list(filter, { limit: 10 });
  await settle();
  assert(late.waits, "the list does not ask for what is late");
  await land();
  late.may.resolve();
  return (await listing).jobs;
}

const inLane = (status: JobStatus) => ([index, lane]: StoreKey) =>
  index === LISTS && String(lane).startsWith(`${status}/`);

Deno.test("a job that moves from one status to another while a list is read is not missed", async () => {
  const jobs = await logOfJobs({ store: new LateStore(inLane("cancelled")) });
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    ids.push(create(jobs));
    await jobs.log.drain();
    await jobs.processor.execute(ids[i]!, { type: "cancel" }, TESTER);
  }
  await jobs.processor.execute(ids[1]!, { type: "retry" }, TESTER);
  const land = () => jobs.processor.execute(ids[0]!, { type: "retry" }, TESTER);
  const shown = await listAround(jobs, {}, land);
  assertEquals(shown.map(({ id }) => id), ids.toReversed());
});

Deno.test("a job that starts, or ends, while a list is read is not missed", async () => {
  const jobs = await logOfJobs({ store: new LateStore(inLane("cancelled")) });
  const { processor, states, log } = jobs;
  const [ending, running, starting, cancelled] = [create(jobs), create(jobs), create(jobs), create(jobs)];
  const outcome = { type: "completed", result: null } as const;
  for (const id of [ending, running]) processor.stage(id, states.peek(id)!, { type: "start" }, TESTER);
  processor.stage(cancelled, states.peek(cancelled)!, { type: "cancel" }, TESTER);
  await log.drain();
  const shown = await listAround(jobs, {}, async () => {
    await processor.execute(ending, { type: "settle", attempt: 1, outcome, progress: null }, TESTER);
    await processor.execute(starting, { type: "start" }, TESTER);
  });
  assertEquals(shown.map(({ id }) => id), [cancelled, starting, running, ending]);
});

Deno.test("a job that is deleted when a list knows of it, but not its row, is shown as it was, or not at all", async () => {
  const jobs = await logOfJobs({ store: new LateStore(([index]) => index === ROWS) });
  const id = create(jobs, { queue: "a" });
  await jobs.log.drain();
  await jobs.processor.execute(id, { type: "update", changes: { queue: "b" } }, TESTER);
  await jobs.processor.execute(id, { type: "cancel" }, TESTER);
  const shown = await listAround(jobs, {}, () => jobs.processor.execute(id, { type: "delete" }, TESTER));
  assert(shown.every(({ status, queue }) => status === "cancelled" && queue === "b"), JSON.stringify(shown));
});

Deno.test("a job whose row moves while a list by tag and status seeks it is not missed", async () => {
  const jobs = await logOfJobs({ store: new LateStore(inLane("queued")) });
  const tags = ["red"];
  // So many that the tag's index is read.
  for (let i = 0; i < SCAN_LIMIT; i++) create(jobs, { tags });
  const id = create(jobs, { tags, scheduled_at: new Date(jobs.clock.now() + 60_000).toISOString() });
  await jobs.log.drain();
  const update = { type: "update", changes: { queue: "other" } } as const;
  const land = () => jobs.processor.execute(id, update, TESTER);
  const [newest] = await listAround(jobs, { tag: "red", status: "queued" }, land);
  assertEquals([newest?.id, newest?.queue], [id, "other"]);
});
