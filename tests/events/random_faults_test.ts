/**
 * Appends, faults and passing time in any order: whatever happens, the log is what its callers were told.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fromPage } from "../../src/events/event_page.ts";
import { LogFencedError, LogUnavailableError } from "../../src/events/errors.ts";
import type { StoredEvent } from "../../src/events/event.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { CommitFault, ReadFault } from "../support/faulty_store.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { Caller, type FaultyLog, openFaultyLog } from "./faulty_log.ts";
import { added, foldedView, storedView } from "./tally.ts";

type Step =
  | { do: "append"; stream: string; events: number; times: number }
  | { do: "pass"; ms: number }
  | { do: "jump"; ms: number }
  | { do: "spoil a commit"; fault: CommitFault }
  | { do: "spoil a read"; fault: ReadFault }
  | { do: "take over" };

const lateCommit = fc.record({
  late: fc.constantFrom("rejects" as const, "never answers" as const),
  before: fc.integer({ min: 1, max: 6 }),
});
const commitFault: fc.Arbitrary<CommitFault> = fc.oneof(
  fc.constantFrom("none", "lost_answer", "lost_commit", "doubled", "silent", "swallowed"),
  lateCommit,
);
const append: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("append"),
  stream: fc.constantFrom("a", "b", "c"),
  events: fc.integer({ min: 1, max: 3 }),
  // Now and then so many that they fill several commits.
  times: fc.constantFrom(1, 1, 1, 1, 1, 1, 2, 150),
});
const steps = (takeOver: boolean): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: append },
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant("pass"), ms: fc.constantFrom(0, 0, 50, 1_000, 6_000) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant("jump"), ms: fc.integer({ min: -5_000, max: 5_000 }) }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant("spoil a commit"), fault: commitFault }) },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("spoil a read"),
          fault: fc.constantFrom("none" as const, "rejects" as const, "never answers" as const),
        }),
      },
      { weight: takeOver ? 1 : 0, arbitrary: fc.record({ do: fc.constant("take over") }) },
    ),
    { maxLength: 60 },
  ) as fc.Arbitrary<Step[]>;

class Run {
  readonly clock = new ManualClock();
  readonly disk = new MemoryStore();
  /** The last one owns the log, those before are fenced or soon will be. */
  readonly owners: FaultyLog[] = [];
  readonly callers: Caller[] = [];
  readonly told: StoredEvent[] = [];

  async takeOver(): Promise<void> {
    const owner = await openFaultyLog(this.disk, this.clock);
    owner.log.listen({ landed: (appends) => this.told.push(...appends.flatMap(({ events }) => events)) });
    this.owners.push(owner);
  }

  async step(step: Step): Promise<void> {
    const owner = this.owners.at(-1)!;
    if (step.do === "append") {
      // Those who have lost the log may not know it yet, and go on.
      for (const { tallies } of this.owners) {
        const events = Array.from({ length: step.events }, () => added(this.callers.length));
        try {
          for (let i = 0; i < step.times; i++) {
            this.callers.push(new Caller(tallies.append(step.stream, ...events)));
          }
        } catch (error) {
          assert(error instanceof LogUnavailableError || error instanceof LogFencedError);
        }
      }
    } else if (step.do === "pass") await this.clock.advanceAsync(step.ms);
    else if (step.do === "jump") this.clock.jump(step.ms);
    else if (step.do === "spoil a commit") owner.store.onCommits(step.fault);
    else if (step.do === "spoil a read") owner.store.onReads(step.fault);
    else await this.takeOver();
  }

  /** The faults end; after a while everybody has an answer, and what was late has arrived. */
  async recover(): Promise<void> {
    for (const { store } of this.owners) store.heal();
    await this.clock.advanceAsync(60_000);
    for (let i = 0; i < 6; i++) {
      this.callers.push(new Caller(this.owners.at(-1)!.tallies.add("a", this.callers.length)));
      await settle();
    }
  }

  async check(): Promise<void> {
    const { log } = this.owners.at(-1)!;
    assertEquals(log.health, { ok: true });
    const pages = await this.disk.list({ prefix: ["0e"] }, { limit: 100_000 });
    const events = await log.read(0, 100_000);
    assertEquals(
      events.map(({ bytes }) => bytes),
      pages.flatMap((page) => fromPage(page).events),
      "read() is what is stored",
    );
    assertEquals(events.map(({ event }) => event.position), events.map((_, i) => i), "dense positions");
    for (const stream of new Set(events.map(({ event }) => event.stream))) {
      const versions = events.filter(({ event }) => event.stream === stream).map(({ event }) =>
        event.version
      );
      assertEquals(versions, versions.map((_, i) => i + 1), "dense versions");
    }
    const times = events.map(({ event }) => event.time);
    assertEquals(times, times.toSorted(), "time never goes back");
    assertEquals(await storedView(this.disk), foldedView(events), "rows are the fold");

    const landed = this.callers.filter(({ answer, settled }) => answer === "landed" || settled === "landed");
    const inOrder = landed.flatMap((caller) => caller.events).sort((a, b) =>
      a.event.position - b.event.position
    );
    assertEquals(
      events,
      inOrder,
      "the log is what was acknowledged, and what was unknown and then known to be there",
    );
    for (const { answer, settled } of this.callers) {
      assert(answer !== "pending", "every caller has an answer");
      if (answer === "unknown") assert(settled !== "pending", "every unknown outcome is settled");
    }
    for (const { store } of this.owners) assertEquals(store.mostUnderway, 1);
    assertEquals(this.clock.pending, 0);
  }
}

async function run(taken: Step[]): Promise<Run> {
  const run = new Run();
  await run.takeOver();
  for (const step of taken) await run.step(step);
  await run.recover();
  await run.check();
  return run;
}

Deno.test("EventLog is what its callers were told, and listeners heard it in order, whatever goes wrong", async () => {
  await fc.assert(
    fc.asyncProperty(steps(false), async (taken) => {
      const { told, owners } = await run(taken);
      assertEquals(told, await owners[0]!.log.read(0, 100_000));
    }),
    { numRuns: 400 },
  );
});

Deno.test("EventLog is what its callers were told, whoever takes it over at whatever moment", async () => {
  await fc.assert(fc.asyncProperty(steps(true), async (taken) => void await run(taken)), { numRuns: 400 });
});
