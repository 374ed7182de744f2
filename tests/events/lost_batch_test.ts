import { assertEquals, assertInstanceOf } from "@std/assert";
import { LogUnavailableError } from "../../src/events/errors.ts";
import { EventLog } from "../../src/events/event_log.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { FaultyStore } from "../support/faulty_store.ts";

Deno.test("an append whose commit was lost is told why the store failed, as those behind it are", async () => {
  const store = new FaultyStore(new MemoryStore());
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
  const told: string[] = [];
  log.listen({ health: (health) => health.ok || told.push(health.why) });
  store.onCommits("lost_commit");
  const error = await append("a").landed.then(() => undefined, (error) => error);
  assertInstanceOf(error, LogUnavailableError);
  assertEquals([error.why], told);
  await log.close();
});
