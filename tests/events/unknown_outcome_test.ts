import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DeadlineError } from "../../src/events/clock.ts";
import { LogFencedError, LogUnavailableError } from "../../src/events/errors.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { CommitFault, ReadFault } from "../support/faulty_store.ts";
import type { FaultyStore } from "../support/faulty_store.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { Caller, type FaultyLog, openFaultyLog } from "./faulty_log.ts";
import { foldedView, storedView } from "./tally.ts";

/** The log takes writes, its positions are dense, and its rows are the fold of its events. */
async function assertSound({ log, tallies, disk }: FaultyLog, streams: string[]): Promise<void> {
  const after = new Caller(tallies.add("after"));
  await settle();
  assertEquals([after.answer, log.health], ["landed", { ok: true }]);
  const events = await log.read(0, 1000);
  assertEquals(events.map(({ event }) => event.stream), [...streams, "after"]);
  assertEquals(events.map(({ event }) => event.position), events.map((_, i) => i));
  assertEquals(log.position, events.length);
  assertEquals(await storedView(disk), foldedView(events));
}

const rejects = (before: number): CommitFault => ({ late: "rejects", before });
const neverAnswers = (before: number): CommitFault => ({ late: "never answers", before });

/** What happens to the commit and the fences after it, and the fate that must be found. */
const FAULTS: [string, CommitFault[], "landed" | "lost"][] = [
  ["landed though its answer was lost", ["lost_answer"], "landed"],
  ["landed though the store reports a conflict", ["doubled"], "landed"],
  ["landed and never answered", ["silent"], "landed"],
  ["never reached the store", ["lost_commit"], "lost"],
  ["was swallowed without an answer", ["swallowed"], "lost"],
  ["failed and landed late, before the head was read", [rejects(1)], "landed"],
  ["failed and landed late, between reading the head and the fence", [rejects(2)], "landed"],
  ["failed and arrived after the fence", [rejects(3)], "lost"],
  ["never answered and landed late, before the head was read", [neverAnswers(1)], "landed"],
  ["never answered and landed late, between reading the head and the fence", [neverAnswers(2)], "landed"],
  ["never answered and arrived after the fence", [neverAnswers(3)], "lost"],
  ["arrived after a fence whose answer was lost", [rejects(3), "lost_answer"], "lost"],
  ["arrived after a fence that never answered", [rejects(3), "silent"], "lost"],
  ["arrived after a fence that was reported as a conflict", [rejects(3), "doubled"], "lost"],
  ["landed late while fences were lost", [rejects(5), "lost_commit", "lost_commit"], "landed"],
  ["never landed, and the first fence late, after the second", ["lost_commit", rejects(3)], "lost"],
  ["never landed, and the first fence late, before the second", ["lost_commit", neverAnswers(2)], "lost"],
  ["landed late, before a late fence", [rejects(3), rejects(2)], "landed"],
  [
    "never landed, and no answer to a fence ever comes",
    ["lost_commit", ...Array(100).fill("lost_answer")],
    "lost",
  ],
  ["arrived after a late fence", [rejects(4), rejects(1)], "lost"],
];

for (const [what, faults, fate] of FAULTS) {
  Deno.test(`EventLog finds the fate of a commit that ${what}: ${fate}`, async () => {
    const faulty = await openFaultyLog();
    const { clock, store, tallies, heard } = faulty;
    await tallies.add("before").landed;
    heard.length = 0;

    store.onCommits(...faults);
    const [one, two] = [new Caller(tallies.add("one")), new Caller(tallies.add("two"))];
    await clock.advanceAsync(30_000);
    const answers = { landed: "landed", lost: "unavailable" } as const;
    const inTime = [one.answer, two.answer].map((answer) => answer === "unknown" ? answers[fate] : answer);
    assertEquals(inTime, [answers[fate], answers[fate]]);
    if (one.answer === "unknown") assertEquals([one.settled, two.settled], [fate, fate]);
    assertEquals(heard, [
      "health false",
      ...(fate === "landed" ? ["landed one", "landed two"] : []),
      "reset",
      "health true",
    ]);
    store.heal();
    await assertSound(faulty, fate === "landed" ? ["before", "one", "two"] : ["before"]);
    assertEquals(clock.pending, 0);
  });
}

Deno.test("EventLog tells health when it is asked, with the reason", async () => {
  const { clock, store, log, tallies } = await openFaultyLog();
  store.onCommits("lost_commit", "lost_commit");
  tallies.add("one");
  await settle();
  assertEquals(log.health, { ok: false, why: "the connection was refused" });
  await clock.advanceAsync(50);
  assertEquals(log.health, { ok: true });

  store.onCommits("swallowed");
  tallies.add("two");
  await clock.advanceAsync(4_999);
  assertEquals(log.health, { ok: true });
  store.onReads("never answers");
  await clock.advanceAsync(1);
  assertEquals(log.health, { ok: false, why: "The commit took longer than 5000 ms" });
  await clock.advanceAsync(10_000);
});

Deno.test("EventLog refuses at once what was staged behind a doubtful commit, and what comes later", async () => {
  const faulty = await openFaultyLog();
  const { clock, store, tallies } = faulty;
  const release = store.hold();
  store.onCommits("lost_answer");
  store.onReads("rejects");
  const doubtful = new Caller(tallies.add("one"));
  await settle();
  const behind = [new Caller(tallies.add("one")), new Caller(tallies.add("two"))];
  release();
  await settle();
  assertEquals([doubtful.answer, ...behind.map(({ answer }) => answer)], [
    "pending",
    "unavailable",
    "unavailable",
  ]);
  const error = assertThrows(() => tallies.add("three"), LogUnavailableError);
  assertEquals(error.message, "The log cannot take the write: the connection was reset");
  assertEquals(await faulty.log.read(0, 10), [], "what is not known to be there is not shown");
  await clock.advanceAsync(50);
  assertEquals(doubtful.answer, "landed");
  await assertSound(faulty, ["one"]);
});

for (const [fault, fate] of [["lost_answer", "landed"], ["lost_commit", "lost"]] as const) {
  for (const read of ["rejects", "never answers"] as const) {
    Deno.test(`EventLog answers unknown after 2 seconds while the head's read ${read}, then tells: ${fate}`, async () => {
      const faulty = await openFaultyLog();
      const { clock, store, tallies, heard } = faulty;
      store.onCommits(fault);
      store.onReads(...Array<ReadFault>(20).fill(read));
      const caller = new Caller(tallies.add("one"));
      await clock.advanceAsync(1_999);
      assertEquals(caller.answer, "pending");
      await clock.advanceAsync(1);
      assertEquals([caller.answer, caller.settled], ["unknown", "pending"]);
      await clock.advanceAsync(15_000);
      assertEquals([caller.answer, caller.settled], ["unknown", "pending"]);

      store.heal();
      await clock.advanceAsync(7_000);
      assertEquals(caller.settled, fate);
      assertEquals(heard, [
        "health false",
        ...(fate === "landed" ? ["landed one"] : []),
        "reset",
        "health true",
      ]);
      await assertSound(faulty, fate === "landed" ? ["one"] : []);
      assertEquals(clock.pending, 0);
    });
  }
}

Deno.test("EventLog answers unknown when no fence lands in time, and keeps trying for as long as it takes", async () => {
  const faulty = await openFaultyLog();
  const { clock, store, tallies } = faulty;
  store.onCommits("lost_commit", ...Array<CommitFault>(1_800).fill("lost_commit"));
  const caller = new Caller(tallies.add("one"));
  await clock.advanceAsync(3_000_000);
  assertEquals([caller.answer, caller.settled], ["unknown", "pending"]);
  await clock.advanceAsync(900_000);
  assertEquals([caller.answer, caller.settled], ["unknown", "lost"]);
  await assertSound(faulty, []);
});

Deno.test("EventLog.whenHealthy() waits until writes are taken again", async () => {
  const { clock, store, log, tallies } = await openFaultyLog();
  await log.whenHealthy();
  store.onCommits("lost_commit", "lost_commit");
  const lost = new Caller(tallies.add("one"));
  await settle();
  const again = log.whenHealthy().then(() => new Caller(tallies.add("one")));
  await clock.advanceAsync(50);
  const caller = await again;
  await settle();
  assertEquals([lost.answer, caller.answer, log.position], ["unavailable", "landed", 1]);
});

Deno.test("EventLog.close() waits until a doubtful commit's fate is known", async () => {
  const { clock, store, log, tallies } = await openFaultyLog();
  store.onCommits("lost_answer");
  store.onReads("rejects");
  const caller = new Caller(tallies.add("one"));
  let closed = false;
  const closing = log.close().then(() => closed = true);
  await settle();
  assertEquals([closed, caller.answer], [false, "pending"]);
  await clock.advanceAsync(50);
  await closing;
  assertEquals(caller.answer, "landed");
});

for (
  const [fault, fate] of [["silent", "landed"], ["swallowed", "lost"], [neverAnswers(1), "lost"]] as const
) {
  const what = typeof fault === "string" ? fault : "late";
  Deno.test(`EventLog that is fenced in doubt tells the truth about a ${what} commit: ${fate}`, async () => {
    const first = await openFaultyLog();
    first.store.onCommits(fault);
    const caller = new Caller(first.tallies.add("one"));
    const impatient = new Caller(first.tallies.add("two"));
    await settle();
    const second = await openFaultyLog(first.disk);
    await second.tallies.add("theirs").landed;

    await first.clock.advanceAsync(5_000);
    const answer = fate === "landed" ? "landed" : "fenced";
    assertEquals([caller.answer, impatient.answer], [answer, answer]);
    assertThrows(() => first.tallies.add("three"), LogFencedError);
    assertEquals(first.heard.at(-1), "health false");
    assertEquals(first.log.position, fate === "landed" ? 2 : 0);
    assertEquals(first.clock.pending, 0);
    await assertSound(second, fate === "landed" ? ["one", "two", "theirs"] : ["theirs"]);
  });

  Deno.test(`EventLog that is fenced after it answered unknown settles a ${what} commit: ${fate}`, async () => {
    const first = await openFaultyLog();
    first.store.onCommits(fault);
    first.store.onReads(...Array<ReadFault>(6).fill("rejects"));
    const caller = new Caller(first.tallies.add("one"));
    await settle();
    const second = await openFaultyLog(first.disk);
    await second.tallies.add("theirs").landed;
    await first.clock.advanceAsync(7_000);
    assertEquals([caller.answer, caller.settled], ["unknown", "pending"]);
    await first.clock.advanceAsync(7_000);
    assertEquals(caller.settled, fate);
    await assertSound(second, fate === "landed" ? ["one", "theirs"] : ["theirs"]);
  });
}

Deno.test("EventLog.open() fails when the store does not answer in time, and can be repeated", async () => {
  for (
    const spoil of [
      (store: FaultyStore) => store.onReads("never answers"),
      (store: FaultyStore) => store.onCommits("silent"),
    ]
  ) {
    const disk = new MemoryStore();
    const clock = new ManualClock();
    const opening = openFaultyLog(disk, clock, spoil);
    const failed = assertRejects(() => opening, DeadlineError, "took longer than 5000 ms");
    await clock.advanceAsync(5_000);
    await failed;
    await assertSound(await openFaultyLog(disk, clock), []);
  }
});

Deno.test("EventLog.open() takes the log over from one who goes on writing", async () => {
  const first = await openFaultyLog();
  const appended = [1, 2, 3].map(() => new Caller(first.tallies.add("one")));
  const second = await openFaultyLog(first.disk, first.clock);
  await settle();
  assertEquals(appended.map(({ answer }) => answer), ["landed", "landed", "landed"]);
  const late = new Caller(first.tallies.add("one"));
  await settle();
  assertEquals(late.answer, "fenced");
  await assertSound(second, ["one", "one", "one"]);
});

Deno.test("EventLog.open() knows its own opening again when the store reports a conflict", async () => {
  const faulty = await openFaultyLog(
    new MemoryStore(),
    new ManualClock(),
    (store) => store.onCommits("doubled"),
  );
  assertEquals(faulty.store.commits.length, 1);
  await assertSound(faulty, []);
});

Deno.test("EventLog is not harmed by a listener that throws: callers and other listeners are told", async () => {
  const { log, tallies, heard } = await openFaultyLog();
  const reported: string[] = [];
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    reported.push(event.error.message);
  };
  globalThis.addEventListener("error", onError);
  const stop = log.listen({
    landed: () => {
      throw new Error("a listener failed");
    },
  });
  const last: string[] = [];
  log.listen({ landed: (appends) => last.push(...appends.map(({ stream }) => stream)) });
  const caller = new Caller(tallies.add("one"));
  await settle();
  stop();
  const next = new Caller(tallies.add("two"));
  await settle();
  globalThis.removeEventListener("error", onError);
  assertEquals([caller.answer, next.answer, reported], ["landed", "landed", ["a listener failed"]]);
  assertEquals([heard, last], [["landed one", "landed two"], ["one", "two"]]);
});
