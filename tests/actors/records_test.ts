/**
 * Records: events that are no job's stand in the same log, and disturb none of its views.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Records } from "../../src/actors/records.ts";
import { AUDIT_READ, LOGIN_FAILED } from "../../src/actors/record_streams.ts";
import { replay } from "../../src/audit/replay.ts";
import { decodeEvent } from "../../src/events/event.ts";
import { readEvents } from "../../src/events/event_page.ts";
import { tamper } from "../audit/support/random_log.ts";
import { logOfJobs, TESTER } from "./support/log_of_jobs.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import { ManualClock } from "../support/manual_clock.ts";

async function opened(store = new MemoryStore()) {
  const { log } = await logOfJobs({ store, clock: new ManualClock() });
  return { store, log, records: new Records({ log, store }) };
}

const eventsIn = async (store: MemoryStore) => (await readEvents(store, 0, 0, 1e6)).map(decodeEvent);

Deno.test("records have versions of their own in each stream, also when they are appended at once and after a restart", async () => {
  const { store, records } = await opened();
  await Promise.all([
    records.append(AUDIT_READ, { n: 1 }, TESTER),
    records.append(LOGIN_FAILED, { n: 2 }, TESTER),
    records.append(AUDIT_READ, { n: 3 }, TESTER),
  ]);
  const again = await opened(store);
  await again.records.append(AUDIT_READ, { n: 4 }, TESTER);
  const events = await eventsIn(store);
  assertEquals(events.map(({ stream, version, data }) => [stream, version, data["n"]]), [
    ["system/reads", 1, 1],
    ["system/logins", 1, 2],
    ["system/reads", 2, 3],
    ["system/reads", 3, 4],
  ]);
  assertEquals((await again.records.last(AUDIT_READ))!.data, { n: 4 });
  assertEquals((await again.records.last(LOGIN_FAILED))!.actor, TESTER.actor);
});

Deno.test("listeners are not told of records, only that something landed", async () => {
  const { log, records } = await opened();
  const told: number[] = [];
  log.listen({ landed: (appends) => told.push(appends.length) });
  await records.append(AUDIT_READ, {}, TESTER);
  assertEquals(told, [0]);
});

Deno.test("replay knows where each stream of records ends, and finds damage to that", async () => {
  const { store, records } = await opened();
  await records.append(AUDIT_READ, {}, TESTER);
  await records.append(AUDIT_READ, {}, TESTER);
  assertEquals((await replay(store)).differences.total, 0);
  const [row] = await store.list({ prefix: ["v"] }, { limit: 9 });
  for (
    const damage of [{ puts: [], deletes: [row!.key] }, {
      puts: [{ ...row!, value: new Uint8Array([49]) }],
      deletes: [],
    }]
  ) {
    await tamper(store, damage.puts, damage.deletes);
    assertEquals((await replay(store)).differences.total, 1);
    await tamper(store, [row!]);
  }
  await tamper(store, [{ key: ["v", "system/else"], value: row!.value }]);
  assertEquals((await replay(store)).differences.total, 1);
});

Deno.test("what the supervisor does by itself names the event that it answers", async () => {
  const { store, log, processor, states } = await logOfJobs({
    store: new MemoryStore(),
    clock: new ManualClock(),
  });
  const { after: { id } } = processor.create({
    type: "create",
    spec: {
      job_type: "echo",
      payload: {},
      queue: "default",
      priority: "normal",
      max_retries: 3,
      scheduled_at: null,
      timeout_seconds: 300,
      backoff: { base_seconds: 120, factor: 2, max_seconds: 86_400, jitter: 0 },
      tags: [],
    },
    idempotency: null,
  }, { ...TESTER, request_id: "request-1" });
  processor.stage(id, states.peek(id)!, { type: "start" }, { ...TESTER, actor: "supervisor" });
  processor.stage(id, states.peek(id)!, { type: "cancel" }, { ...TESTER, request_id: "request-2" });
  await log.drain();
  const events = (await readEvents(store, 0, 0, 9)).map(decodeEvent);
  assertEquals(events.map(({ request_id, causation_id }) => [request_id, causation_id]), [
    ["request-1", null],
    [null, "0"],
    ["request-2", null],
  ]);
  assert(events.every(({ stream }) => stream === `job/${id}`));
});
