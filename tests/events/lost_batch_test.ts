import { assertEquals, assertInstanceOf } from "@std/assert";
import { LogUnavailableError } from "../../src/events/errors.ts";
import { EventLog } from "../../src/events/event_log.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { Commit, Store } from "../../src/events/store.ts";
import { FaultyStore } from "../support/faulty_store.ts";

/** A log on a store with faults, and a way to append to it. */
async function openLog(store: Store) {
  const projector = { project: () => ({ puts: [], deletes: [] }), landed: () => {} };
  const log = await EventLog.open({ store, projector, newId: () => crypto.randomUUID() });
  const append = (stream: string) =>
    log.append({
      stream,
      expectedVersion: 0,
      events: [{ type: "noted", schema_version: 1, machine_version: 1, data: {} }],
      meta: { actor: "test", request_id: null, causation_id: null, reason: null },
      change: () => null,
    });
  return { log, append };
}

Deno.test("an append whose commit was lost is told why the store failed, as those behind it are", async () => {
  const store = new FaultyStore(new MemoryStore());
  const { log, append } = await openLog(store);
  const told: string[] = [];
  log.listen({ health: (health) => health.ok || told.push(health.why) });
  store.onCommits("lost_commit");
  const error = await append("a").landed.then(() => undefined, (error) => error);
  assertInstanceOf(error, LogUnavailableError);
  assertEquals([error.why], told);
  await log.close();
});

Deno.test("an append that finds the store throwing at once is lost with those before it, and its place is taken anew", async () => {
  let broken = false;
  const store = new class extends MemoryStore {
    override commit(commit: Commit) {
      if (!broken) return super.commit(commit);
      broken = false;
      throw new Error("the disk is gone");
    }
  }();
  const { log, append } = await openLog(store);
  broken = true;
  const appends = Array.from({ length: 65 }, (_, i) => append(`s/${i}`));
  const fates = await Promise.allSettled(appends.map(({ landed }) => landed));
  assertEquals(fates.map(({ status }) => status), Array(65).fill("rejected"));
  await log.whenHealthy();
  const again = append("s/64");
  await again.landed;
  assertEquals(again.events[0]!.event.position, 0);
  await log.close();
});
