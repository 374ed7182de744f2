/**
 * An atomic batch whose tags no one commit can hold: all of it is there or none, whatever happens between its commits.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { newJobId } from "../../src/actors/job/id.ts";
import { leadsBeyond } from "../../src/actors/job/keys.ts";
import { replay } from "../../src/audit/replay.ts";
import { beginNewLog } from "../../src/audit/restored_log.ts";
import { UNDO } from "../../src/events/early_entries.ts";
import { LogFencedError } from "../../src/events/errors.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { Commit, Store, StoreKey } from "../../src/events/store.ts";
import { utf8 } from "../../src/events/utf8.ts";
import { tamper } from "../audit/support/random_log.ts";
import { assertProjectionsMatchLog } from "../support/consistency.ts";
import { type CommitFault, FaultyStore } from "../support/faulty_store.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { COMMIT_FATES } from "./support/commit_fates.ts";
import { TESTER } from "./support/log_of_jobs.ts";
import { JOBS, SPECS } from "./support/tagged_batch.ts";
import { TestRuntime } from "./support/test_runtime.ts";

/** Those of the tags, and the batch's own. */
const COMMITS = 9;

async function open(store: Store = new MemoryStore()) {
  const faulty = new FaultyStore(store);
  const test = await TestRuntime.open({ store: faulty, deadlineMs: 5_000, startNow: false });
  const create = () => test.commands.createMany(SPECS, TESTER, { atomic: true });
  return { faulty, test, create };
}

async function idsTagged({ queries }: TestRuntime, tag: string): Promise<string[]> {
  const { jobs } = await queries.list({ tag }, { limit: 500 });
  return jobs.map(({ id }) => id);
}

async function assertNothingShown(test: TestRuntime): Promise<void> {
  const { jobs } = await test.queries.list({}, { limit: 500 });
  assertEquals([jobs.length, (await test.queries.stats()).total], [0, 0]);
  for (const tag of SPECS[0]!.tags) assertEquals(await idsTagged(test, tag), []);
}

async function assertAllShown(test: TestRuntime): Promise<void> {
  const ids = await idsTagged(test, "all");
  assertEquals([ids.length, (await test.queries.stats()).total], [JOBS, JOBS]);
  for (const [i, { tags }] of SPECS.entries()) {
    for (const tag of tags.slice(1)) assertEquals(await idsTagged(test, tag), [ids[JOBS - 1 - i]]);
  }
}

const earlyKeys = async (store: Store) => {
  const entries = await store.list({ prefix: [] }, { limit: 1e6 });
  return entries.filter(({ key }) => key[0] === UNDO || key[0] === "g").length;
};

Deno.test("the tags of an atomic batch go ahead of it in commits that Deno KV takes, and nothing else does", async () => {
  const { faulty, test, create } = await open();
  const before = faulty.commits.length;
  const outcomes = await create();
  assert(outcomes.every((outcome) => "job" in outcome));
  const commits = faulty.commits.slice(before);
  assertEquals(commits.length, COMMITS);
  for (const { mutations, bytes, keyBytes } of commits) {
    assert(mutations <= 1000 && bytes <= 800 * 1024 && keyBytes <= 80 * 1024);
  }
  for (const { commit } of commits.slice(0, -1)) {
    assertEquals(new Set(commit.puts.map(({ key }) => key[0])), new Set(["g", "h", UNDO]));
    assertEquals(commit.deletes, []);
  }
  await assertAllShown(test);
  await test.close();
});

for (const { name, fault, fate } of COMMIT_FATES) {
  Deno.test(`whichever commit of an atomic batch meets a fault, all of it is ${fate} (${name})`, async () => {
    for (let commit = 0; commit < COMMITS; commit++) {
      const { faulty, test, create } = await open();
      faulty.onCommits(...Array(commit).fill("none"), fault);
      const creating = create();
      await test.clock.advanceAsync(60_000);
      const names = (await creating).map((outcome) => "error" in outcome ? outcome.error.name : "created");
      assertEquals(new Set(names), new Set([fate]), `commit ${commit}`);
      await (fate === "created" ? assertAllShown : assertNothingShown)(test);
      await test.close();
    }
  });
}

Deno.test("what a lost atomic batch leaves is removed before anything else is taken, however often that fails", async () => {
  const { faulty, test, create } = await open();
  faulty.onCommits("none", "none", "lost_commit", "none", "lost_commit", "none", "swallowed", "none");
  const creating = create();
  await test.clock.advanceAsync(60_000);
  assert((await creating).every((outcome) => "error" in outcome));
  assertEquals(await earlyKeys(faulty), 0);
  assert((await create()).every((outcome) => "job" in outcome));
  await assertAllShown(test);
  await test.close();
});

Deno.test("a stop waits until what a lost atomic batch left is removed", async () => {
  const { faulty, test, create } = await open();
  faulty.onCommits("none", "none", "lost_commit", "none", ...Array(8).fill("lost_commit"));
  const creating = create();
  await settle();
  let isStopped = false;
  const stopping = test.runtime.stop().then(() => isStopped = true);
  await settle();
  assertEquals([isStopped, await earlyKeys(faulty) > 0], [false, true]);
  await test.clock.advanceAsync(120_000);
  await stopping;
  assert((await creating).every((outcome) => "error" in outcome));
  assertEquals(await earlyKeys(faulty), 0);
});

/** Does what it is told before and after each commit. */
class WatchedStore extends MemoryStore {
  watch: () => Promise<void> = () => Promise.resolve();
  override async commit(commit: Commit): Promise<string | null> {
    await this.watch();
    const versionstamp = await super.commit(commit);
    await this.watch();
    return versionstamp;
  }
}

Deno.test("a list by tag shows nothing of an atomic batch before all of it is there", async () => {
  const store = new WatchedStore();
  const { test, create } = await open(store);
  const seen: number[] = [];
  store.watch = async () => void seen.push((await idsTagged(test, "all")).length);
  await create();
  assertEquals(seen, Array(2 * COMMITS).fill(0));
  store.watch = () => Promise.resolve();
  assertEquals((await idsTagged(test, "all")).length, JOBS);
  await test.close();
});

Deno.test("a list that is being read while an atomic batch lands does not show a part of it", async () => {
  const store = new WatchedStore();
  const { test, create } = await open(store);
  const half = Promise.withResolvers<void>();
  const rest = Promise.withResolvers<void>();
  let commits = 0;
  store.watch = async () => {
    if (++commits !== COMMITS) return;
    half.resolve();
    await rest.promise;
  };
  const creating = create();
  await half.promise;
  const { list } = store;
  const found: number[] = [];
  store.list = async (range, options) => {
    const entries = await list.call(store, range, options);
    if (range.prefix[0] === "g") {
      found.push(entries.length);
      rest.resolve();
      await creating;
    }
    return entries;
  };
  assertEquals(await idsTagged(test, "all"), []);
  assert(found[0]! > 0 && found[0]! < JOBS, `${found}`);
  await test.close();
});

/** Its process died after so many commits of a batch. */
async function cutOff(store: MemoryStore, landed: number): Promise<void> {
  const dying = await open(store);
  dying.faulty.onCommits(...Array(landed).fill("none"), ...Array(100).fill("swallowed"));
  void dying.create();
  await settle();
  assertEquals(await earlyKeys(store) > 0, landed > 0);
}

for (let landed = 0; landed < COMMITS; landed++) {
  Deno.test(`a process that dies after ${landed} of ${COMMITS} commits of an atomic batch leaves nothing of it`, async () => {
    const store = new MemoryStore();
    await cutOff(store, landed);
    const { differences, violations } = await replay(store);
    assertEquals([differences.shown, violations.shown], [[], []], "what is shown to nobody is no difference");
    const next = await open(store);
    await assertNothingShown(next.test);
    await assertProjectionsMatchLog(store);
    assert((await next.create()).every((outcome) => "job" in outcome));
    await assertAllShown(next.test);
    await next.test.close();
  });

  Deno.test(`a log that is restored from after ${landed} of ${COMMITS} commits of an atomic batch has nothing of it`, async () => {
    const store = new MemoryStore();
    await cutOff(store, landed);
    const root = new Uint8Array(32);
    await beginNewLog(store, { newId: () => crypto.randomUUID(), now: 0, root, checkpoint: null });
    assertEquals(await earlyKeys(store), 0);
    const next = await open(store);
    await assertNothingShown(next.test);
    await next.test.stop();
    assertEquals((await replay(store)).differences.shown, []);
  });
}

Deno.test("a log whose leftovers cannot be removed is not opened, says why, and can be opened later", async () => {
  for (
    const [fault, why] of [
      ["lost_commit", "the connection was refused"],
      ["swallowed", "Removing what was lost took longer than 5000 ms"],
    ] as const
  ) {
    const store = new MemoryStore();
    await cutOff(store, 3);
    const faulty = new FaultyStore(store);
    const clock = new ManualClock();
    faulty.onCommits("none", "none", fault);
    const opening = assertRejects(() => TestRuntime.open({ store: faulty, clock, deadlineMs: 5_000 }));
    await clock.advanceAsync(60_000);
    assertStringIncludes((await opening as Error).message, why);
    const next = await open(store);
    await assertNothingShown(next.test);
    await next.test.close();
  }
});

Deno.test("a removal that landed and is reported as a conflict does not keep the log from being opened", async () => {
  const store = new MemoryStore();
  await cutOff(store, 3);
  const faulty = new FaultyStore(store);
  faulty.onCommits("none", ...Array(9).fill("doubled"));
  const test = await TestRuntime.open({ store: faulty, startNow: false });
  assertEquals(await earlyKeys(store), 0);
  faulty.heal();
  await test.close();
});

const anyFault = fc.oneof(
  { weight: 8, arbitrary: fc.constant<CommitFault>("none") },
  fc.constantFrom<CommitFault>("lost_answer", "lost_commit", "doubled", "silent", "swallowed"),
  fc.record({
    late: fc.constantFrom("rejects" as const, "never answers" as const),
    before: fc.integer({ min: 1, max: 9 }),
  }),
);

Deno.test("all of an atomic batch is there or none, whatever commits and reads fail, and whoever takes the log over", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyFault, { maxLength: 30, size: "max" }),
      fc.array(fc.constantFrom("none" as const, "rejects" as const, "never answers" as const), {
        maxLength: 4,
      }),
      fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined }),
      async (commitFaults, listFaults, takenOverAt) => {
        const store = new MemoryStore();
        const { faulty, test, create } = await open(store);
        faulty.onCommits(...commitFaults);
        faulty.onLists(...listFaults);
        let reader = test;
        let commits = 0;
        const { commit } = faulty;
        faulty.commit = async (asked) => {
          if (++commits === takenOverAt) reader = (await open(store)).test;
          return await commit.call(faulty, asked);
        };
        const creating = create();
        await test.clock.advanceAsync(600_000);
        const names = new Set(
          (await creating).map((outcome) => "error" in outcome ? outcome.error.name : "created"),
        );
        assertEquals(names.size, 1);
        faulty.heal();
        await test.clock.advanceAsync(600_000);
        const tagged = await idsTagged(reader, "all");
        const { jobs } = await reader.queries.list({}, { limit: 500 });
        assertEquals(jobs.map(({ id }) => id), tagged);
        const [name] = names;
        if (name === "created") assertEquals(tagged.length, JOBS);
        else if (name !== "UnknownOutcomeError") assertEquals(tagged.length, 0);
        else assert([0, JOBS].includes(tagged.length));
        await assertProjectionsMatchLog(store);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("an atomic batch whose log is taken over between its commits is lost, and nothing of it is left", async () => {
  const store = new MemoryStore();
  const { faulty, test, create } = await open(store);
  let commits = 0;
  const { commit } = faulty;
  const others: TestRuntime[] = [];
  faulty.commit = async (asked) => {
    if (++commits === 4) others.push((await open(store)).test);
    return await commit.call(faulty, asked);
  };
  const outcomes = await create();
  assert(outcomes.every((outcome) => "error" in outcome && outcome.error instanceof LogFencedError));
  assertEquals(await earlyKeys(store), 0);
  await assertNothingShown(others[0]!);
  await others[0]!.close();
  await test.stop();
});

Deno.test("an undo record removes and hides nothing but what leads beyond the log's end", async () => {
  const store = new MemoryStore();
  const before = await open(store);
  const id = await before.test.create({ tags: ["mine"] });
  await before.test.close();
  const entries = await store.list({ prefix: [] }, { limit: 1e6 });
  const ofOthers = entries.map(({ key }) => key).filter(([first]) => first !== "h");
  const forged: StoreKey = ["g", "forged", id];
  const value = utf8(JSON.stringify([...ofOthers, forged, ["g", "mine", "no id"], [], [1]]));
  await tamper(store, [{ key: forged, value: utf8("") }, { key: [UNDO, 0], value }]);
  const keysOf = async () =>
    (await replay(store, { show: 100 })).differences.shown.map(({ key }) => [...key]);
  assertEquals(await keysOf(), [["g", "forged", id]]);
  const after = await open(store);
  assertEquals(await idsTagged(after.test, "mine"), [id]);
  assertEquals(await store.list({ prefix: [UNDO] }, { limit: 1 }), []);
  assertEquals(await keysOf(), [["g", "forged", id]]);
  await after.test.stop();
});

Deno.test("what is no undo record is a difference, and goes when the log is opened", async () => {
  const store = new MemoryStore();
  await (await open(store)).test.close();
  await tamper(store, [{ key: [UNDO, "x"], value: utf8("what") }]);
  const { differences } = await replay(store);
  assertEquals(differences.shown.map(({ key }) => [...key]), [[UNDO, "x"]]);
  await (await open(store)).test.close();
});

Deno.test("leadsBeyond() tells entries of tags whose jobs are not in the log yet", () => {
  const id = newJobId(0, 5);
  assertEquals([5, 6].map((position) => leadsBeyond(["g", "t", id], position)), [true, false]);
  for (const key of [["0l", "t", id], ["g", "t"], ["g", "t", 7], ["g", "t", "x"]]) {
    assertEquals(leadsBeyond(key, 0), false);
  }
});
