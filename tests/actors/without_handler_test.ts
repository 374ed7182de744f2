import { assert, assertEquals } from "@std/assert";
import { DUE } from "../../src/actors/job/keys.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { StoreRange } from "../../src/events/store.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { CountingStore } from "./support/counting_store.ts";
import { aSpec } from "./support/facts.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { TestRuntime } from "./support/test_runtime.ts";

const HOUR_MS = 3_600_000;

/** A store with so many jobs that no handler is there for, due one a millisecond after an hour. */
async function storeWith(strangers: number, clock: ManualClock): Promise<MemoryStore> {
  const store = new MemoryStore();
  const test = await TestRuntime.open({ store, clock, startNow: false });
  const due = clock.now() + HOUR_MS;
  for (let made = 0; made < strangers; made += 500) {
    const specs = Array.from(
      { length: 500 },
      (_, i) => aSpec({ job_type: "strange", scheduled_at: new Date(due + made + i).toISOString() }),
    );
    await test.commands.createMany(specs, TESTER);
  }
  await test.stop();
  return store;
}

for (const [kind, hours] of Object.entries({ "are scheduled": 0, "have long been due": 2 })) {
  Deno.test(`a start reads as much with 10,000 jobs without a handler that ${kind} as with 1,000`, async () => {
    const readByStart = async (strangers: number) => {
      const clock = new ManualClock();
      const counting = new CountingStore(await storeWith(strangers, clock));
      const idle = await TestRuntime.open({ store: counting, clock, startNow: false });
      const last = new Date(clock.now() + HOUR_MS + strangers).toISOString();
      const waiting = await idle.create();
      const scheduled = await idle.create({ scheduled_at: last });
      await idle.stop();
      clock.advance(hours * HOUR_MS);
      const test = await TestRuntime.open({ store: counting, clock, startNow: false });
      const read = await counting.during(() => test.start());
      assertEquals(test.runs.map(({ jobId }) => jobId), hours === 0 ? [waiting] : [waiting, scheduled]);
      await test.close();
      return read;
    };
    const [few, many] = [await readByStart(1_000), await readByStart(10_000)];
    assertEquals(many, few);
  });
}

Deno.test("a job runs in time that is scheduled behind thousands without a handler", async () => {
  const clock = new ManualClock();
  const store = await storeWith(5_000, clock);
  const idle = await TestRuntime.open({ store, clock, startNow: false });
  const due = clock.now() + HOUR_MS + 3_000;
  const id = await idle.create({ scheduled_at: new Date(due).toISOString() });
  await idle.stop();
  const test = await TestRuntime.open({ store, clock });
  await clock.advanceAsync(due - 1 - clock.now());
  assertEquals(test.runs.length, 0);
  await clock.advanceAsync(1);
  assertEquals(test.runs.map(({ jobId }) => jobId), [id]);
  await test.close();
});

/** A store that does not answer what waits with the lowest priority until the test lets it. */
class SlowLowest extends MemoryStore {
  readonly #released = Promise.withResolvers<void>();

  release(): void {
    this.#released.resolve();
  }

  override async list(range: StoreRange, options: Parameters<MemoryStore["list"]>[1]) {
    if (range.prefix[0] === DUE && range.prefix[2] === 0) await this.#released.promise;
    return await super.list(range, options);
  }
}

Deno.test("jobs start while those of lower priority are still being read", async () => {
  const store = new SlowLowest();
  const idle = await TestRuntime.open({ store, startNow: false });
  const [low, high] = [await idle.create({ priority: "low" }), await idle.create({ priority: "high" })];
  await idle.stop();
  const test = await TestRuntime.open({ store });
  assertEquals(test.runs.map(({ jobId }) => jobId), [high]);
  assertEquals(await test.status(low), "queued");
  store.release();
  await test.clock.advanceAsync(0);
  assert(test.runOf(low));
  await test.close();
});
