/**
 * Restored logs: another id, the old bytes, and nothing of where they come from can be changed unseen.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { exportLog } from "../../src/audit/export/export_log.ts";
import { importLog } from "../../src/audit/export/import_log.ts";
import { checkProof, proveJob } from "../../src/audit/job_proof.ts";
import { beginNewLog } from "../../src/audit/restored_log.ts";
import { OtherLogError, verify } from "../../src/audit/verify.ts";
import { decodeEvent } from "../../src/events/event.ts";
import { readEvents } from "../../src/events/event_page.ts";
import { decodeHead, encodeHead, type Head, headKey } from "../../src/events/head.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { Store } from "../../src/events/store.ts";
import { anyLog, storeOf, tamper } from "./support/random_log.ts";
import { seal } from "./support/sealed.ts";

const STEPS = fc.sample(anyLog, { numRuns: 1, seed: 11 })[0]!;
const headOf = async (store: Store) => decodeHead((await store.get(headKey(0))).value!);

/** Twice restored, sealed each time. */
async function restoredTwice() {
  const { store, now } = await storeOf(STEPS);
  const seals = [await seal(store, [0.5, 1])];
  for (let n = 0; n < 2; n++) {
    const { root, checkpoint } = await verify(store, { now });
    await beginNewLog(store, { newId: () => crypto.randomUUID(), now, root: root!, checkpoint });
    seals.push(await seal(store, [1]));
  }
  return { store, now, seals };
}

Deno.test("a restored log verifies with the keys and checkpoints of all the logs that it goes on from", async () => {
  const { store, now, seals } = await restoredTwice();
  const found = await verify(store, {
    keys: seals.map(({ key }) => key),
    outside: seals.map(({ checkpoint }) => checkpoint),
    now,
  });
  assertEquals([found.violations.shown, found.differences.shown], [[], []]);
  assertEquals(found.signed, found.checkpoints + 3);
  assertEquals(found.sealed, found.events);
  const { log_id, earlier, position } = await headOf(store);
  const last = decodeEvent((await readEvents(store, 0, position - 1, position))[0]!);
  assertEquals([last.type, last.log_id, last.stream, last.version], [
    "log.restored",
    log_id,
    `log/${log_id}`,
    1,
  ]);
  assertEquals(last.data["log_id"], earlier!.at(-1)!.log_id);
  assertEquals(new Set([log_id, ...earlier!.map((each) => each.log_id)]).size, 3);
});

Deno.test("where a restored log comes from cannot be changed, left out or made up", async () => {
  const { store, now } = await restoredTwice();
  const head = await headOf(store);
  const [first, second] = head.earlier!;
  const { earlier: _, ...none } = head;
  const forgeries: Head[] = [
    none,
    { ...head, earlier: [first!] },
    { ...head, earlier: [second!] },
    { ...head, earlier: [first!, { ...second!, size: second!.size - 1 }] },
    { ...head, earlier: [{ ...first!, log_id: "another" }, second!] },
    { ...head, log_id: "another" },
  ];
  for (const forged of forgeries) {
    await tamper(store, [{ key: headKey(0), value: encodeHead(forged) }]);
    assert((await verify(store, { now })).violations.total > 0, JSON.stringify(forged));
  }
  await tamper(store, [{ key: headKey(0), value: encodeHead(head) }]);
  assertEquals((await verify(store, { now })).violations.total, 0);
});

Deno.test("a checkpoint of what the restore left behind is refused, with the reason", async () => {
  const { store, now } = await storeOf(STEPS);
  const { checkpoint } = await seal(store);
  const { store: copy } = await storeOf([]);
  for (const entry of await store.list({ prefix: [] }, { limit: 1e6 })) await tamper(copy, [entry]);
  const head = await headOf(copy);
  const short = { ...head, log_id: "new", earlier: [{ log_id: head.log_id, size: head.position - 2 }] };
  await tamper(copy, [{ key: headKey(0), value: encodeHead(short) }]);
  await assertRejects(
    () => verify(copy, { outside: [checkpoint], now }),
    OtherLogError,
    `of which only the first ${head.position - 2} were restored into this one`,
  );
});

Deno.test("a restored log is exported and imported as what it is, and its jobs can be proved", async () => {
  const { store, now, seals } = await restoredTwice();
  const dir = await Deno.makeTempDir({ prefix: "daybook_restored_" });
  try {
    await exportLog(store, dir);
    const imported = new MemoryStore();
    await importLog(dir, imported, { newId: () => crypto.randomUUID() });
    const { earlier, log_id } = await headOf(imported);
    assertEquals([earlier, log_id], [(await headOf(store)).earlier, (await headOf(store)).log_id]);
    const found = await verify(imported, { keys: seals.map(({ key }) => key), now });
    assertEquals([found.violations.shown, found.differences.shown], [[], []]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  const id = decodeEvent((await readEvents(store, 0, 0, 1))[0]!).stream.slice("job/".length);
  const { proof } = await proveJob(store, id);
  assertEquals(checkProof(proof, [seals.at(-1)!.key]).wrong, []);
});
