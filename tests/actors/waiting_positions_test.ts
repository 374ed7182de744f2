import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { waitingEntries } from "../../src/actors/job/waiting.ts";
import { jobsAt, waitingBelow, waitingFrom } from "../../src/actors/waiting_positions.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { CountingStore } from "./support/counting_store.ts";
import { WaitingOnDisk } from "./support/waiting_on_disk.ts";

const LANE = { queue: "default", rank: 1 };

async function storeOf(jobs: readonly { position: number; jobType: string }[]): Promise<CountingStore> {
  const store = new MemoryStore();
  const others = [{ queue: "default", rank: 0 }, { queue: "default", rank: 2 }, { queue: "defaul", rank: 1 }];
  await store.commit({
    check: { key: ["h"], versionstamp: null },
    puts: waitingEntries([
      ...jobs.map((job) => ({ ...LANE, ...job })),
      ...others.map((lane) => ({ ...lane, jobType: "x", position: 3 })),
    ]),
    deletes: [],
  });
  return new CountingStore(store);
}

const jobs = fc.uniqueArray(
  fc.record({ position: fc.nat({ max: 20_000 }), jobType: fc.constantFrom("x", "y", "z") }),
  { maxLength: 300, size: "max", selector: ({ position }) => position },
).map((jobs) => jobs.sort((a, b) => a.position - b.position));

Deno.test("waitingFrom() and waitingBelow() read the next jobs of a queue and priority, and say when they are the last", async () => {
  await fc.assert(
    fc.asyncProperty(
      jobs,
      fc.nat({ max: 20_100 }),
      fc.integer({ min: 1, max: 320 }),
      async (jobs, position, want) => {
        const store = await storeOf(jobs);
        const behind = jobs.filter((job) => job.position >= position);
        assertEquals(await waitingFrom(store, LANE, position, want), {
          found: behind.slice(0, want),
          isLast: behind.length <= want,
        });
        const wanted = behind.filter(({ jobType }) => jobType !== "y");
        assertEquals(await waitingFrom(store, LANE, position, want, (jobType) => jobType !== "y"), {
          found: wanted.slice(0, want),
          isLast: wanted.length <= want,
        });
        const before = jobs.filter((job) => job.position < position).toReversed();
        assertEquals(await waitingBelow(store, LANE, position, want), {
          found: before.slice(0, want),
          isLast: before.length <= want,
        });
      },
    ),
  );
});

Deno.test("a page of jobs costs as few reads among a hundred thousand as among a thousand, also when they lie far apart", async () => {
  for (const apart of [1, 40]) {
    const count = 100_000 / apart;
    const many = await storeOf(
      Array.from({ length: count }, (_, i) => ({ position: i * apart, jobType: "x" })),
    );
    const { requests, entries } = await many.during(async () => {
      await waitingFrom(many, LANE, 50_000, 500);
      await waitingBelow(many, LANE, 50_000, 50);
    });
    assert(requests <= 10, `${requests} requests`);
    assert(entries <= 200, `${entries} entries`);
  }
});

Deno.test("jobsAt() finds the jobs by their first events, and passes over what leads to none", async () => {
  const disk = new WaitingOnDisk();
  const ids = [0, 1, 2].map((time) => disk.newJob(time).id);
  const stranger = disk.newJob(3, {}, 7);
  const at = (position: number) => ({ position, jobType: "x" });
  assertEquals((await jobsAt(disk.log, [at(2), at(5), at(0), at(7)])).map(({ id }) => id), [
    ids[2],
    ids[0],
    stranger.id,
  ]);
  assertEquals(await jobsAt({ find: () => disk.log.find([1]) }, [at(0)]), [], "another job's event");
});
