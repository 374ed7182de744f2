import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { LogUnavailableError, StoreUnreadableError } from "../../src/events/errors.ts";
import { EventLog } from "../../src/events/event_log.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

const GONE = new StoreUnreadableError("the disk is gone");

/** A log whose projector must read before each commit, and the reads as the test ends them. */
async function openLog() {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const reads: PromiseWithResolvers<void>[] = [];
  const asked: string[][] = [];
  const atHand = new Set<string>();
  let ready = false;
  const log = await EventLog.open<string>({
    store,
    clock,
    newId: () => crypto.randomUUID(),
    deadlineMs: 5_000,
    projector: {
      project(changes) {
        if (!changes.every((change) => ready || atHand.has(change))) {
          asked.push([...changes]);
          const read = Promise.withResolvers<void>();
          reads.push(read);
          return read.promise.then(() => changes.forEach((change) => atHand.add(change)));
        }
        return {
          puts: changes.map((change) => ({ key: ["row", change], value: new Uint8Array() })),
          deletes: [],
        };
      },
      landed: () => {},
    },
  });
  const heard: string[] = [];
  log.listen({
    landed: (appends) => heard.push(`landed ${appends.map(({ change }) => change)}`),
    reset: () => heard.push("reset"),
    health: (health) => heard.push(health.ok ? "healthy" : health.why),
  });
  const append = (change: string) =>
    log.append({
      stream: change,
      expectedVersion: 0,
      events: [{ type: "noted", schema_version: 1, machine_version: 1, data: {} }],
      meta: { actor: "test", request_id: null, causation_id: null, reason: null },
      change: () => change,
    }).landed.then(() => "landed", (error) => error);
  return { clock, log, reads, asked, heard, append, becomeReady: () => ready = true };
}

Deno.test("a commit waits for what its projector reads; what arrives meanwhile goes into the next", async () => {
  const { log, reads, asked, heard, append } = await openLog();
  const first = [append("a"), append("b")];
  await settle();
  const later = append("c");
  await settle();
  assertEquals([heard, log.position], [[], 0]);
  reads[0]!.resolve();
  assertEquals(await Promise.all(first), ["landed", "landed"]);
  await settle();
  reads[1]!.resolve();
  assertEquals(await later, "landed");
  assertEquals([asked, heard], [[["a", "b"], ["c"]], ["landed a,b", "landed c"]]);
  await log.close();
});

Deno.test("when it cannot be read nothing is written, all are told why, and writes are taken again once it can", async () => {
  const { clock, log, reads, heard, append } = await openLog();
  const waiting = [append("a")];
  await settle();
  waiting.push(append("b"));
  reads[0]!.reject(GONE);
  for (const told of await Promise.all(waiting)) assertInstanceOf(told, LogUnavailableError);
  assertThrows(() => append("c"), LogUnavailableError, GONE.message);
  await clock.advanceAsync(50);
  reads[1]!.reject(new StoreUnreadableError("still gone"));
  await clock.advanceAsync(100);
  assertThrows(() => append("c"), LogUnavailableError, GONE.message);
  reads[2]!.resolve();
  await settle();
  assertEquals([heard, log.position], [[GONE.message, "reset", "healthy"], 0]);
  const next = append("c");
  await settle();
  reads[3]!.resolve();
  assertEquals(await next, "landed");
  await log.close();
});

Deno.test("what is appended as soon as writes are taken again is committed", async () => {
  const { clock, log, reads, append, becomeReady } = await openLog();
  const lost = append("a");
  await settle();
  reads[0]!.reject(GONE);
  await lost;
  let next: Promise<unknown> | undefined;
  log.listen({ health: ({ ok }) => ok && void (next = append("b")) });
  becomeReady();
  await clock.advanceAsync(50);
  assertEquals(await next, "landed");
  await log.close();
});

Deno.test("a read that does not answer is given up after the deadline, and so is each that repeats it", async () => {
  const { clock, log, heard, asked, append, becomeReady } = await openLog();
  const waiting = append("a");
  await clock.advanceAsync(5_000);
  assertInstanceOf(await waiting, LogUnavailableError);
  const why = "Reading what the commit rests on took longer than 5000 ms";
  assertEquals(heard, [why]);
  await clock.advanceAsync(6_000);
  assertEquals(asked.length, 3);
  becomeReady();
  await clock.advanceAsync(6_000);
  assertEquals(heard, [why, "reset", "healthy"]);
  await log.close();
});

Deno.test("what is read but makes no sense refuses those who need it, and others may write soon after", async () => {
  const { clock, log, reads, heard, append, becomeReady } = await openLog();
  const waiting = append("a");
  await settle();
  reads[0]!.reject(new Error("the entry is damaged"));
  assertInstanceOf(await waiting, LogUnavailableError);
  await clock.advanceAsync(50);
  assertEquals(heard, ["the entry is damaged", "reset", "healthy"]);
  becomeReady();
  assertEquals(await append("b"), "landed");
  await log.close();
});

Deno.test("no second commit begins between a read's answer and the commit that waited for it", async () => {
  for (let hops = 0; hops < 8; hops++) {
    const { log, reads, heard, append, becomeReady } = await openLog();
    const first = append("a");
    await settle();
    becomeReady();
    reads[0]!.resolve();
    for (let i = 0; i < hops; i++) await Promise.resolve();
    assertEquals(await Promise.all([first, append("b")]), ["landed", "landed"], `after ${hops} turns`);
    assertEquals(heard, ["landed a", "landed b"]);
    await log.close();
  }
});

Deno.test("a log that is closed while it cannot be read ends", async () => {
  const { clock, log, reads, asked, append } = await openLog();
  const waiting = append("a");
  await settle();
  reads[0]!.reject(GONE);
  assertInstanceOf(await waiting, LogUnavailableError);
  await log.close();
  await clock.advanceAsync(60_000);
  assertEquals(asked.length, 2, "it is tried once more at most");
});
