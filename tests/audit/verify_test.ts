/**
 * What `verify` finds: damage to anything that the log, its seals or its views are made of.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { treeThread } from "../../src/audit/tree_thread.ts";
import { OtherLogError, verify } from "../../src/audit/verify.ts";
import { decodeHead, encodeHead, headKey } from "../../src/events/head.ts";
import { signCheckpoint } from "../../src/events/merkle/checkpoint.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { Store } from "../../src/events/store.ts";
import { anyLog, anyLogDamage, storeOf, tamper } from "./support/random_log.ts";
import { seal } from "./support/sealed.ts";
import { generateKeyPairSync } from "node:crypto";

const LONG = fc.sample(anyLog, { numRuns: 1, seed: 11 })[0]!;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

const pagesIn = (store: Store) => store.list({ prefix: ["0e"] }, { limit: 1e6 });
const allIn = (store: Store) => store.list({ prefix: [] }, { limit: 1e6 });

Deno.test("a log that nobody touched verifies, wherever its checkpoints are and whatever happened in it", async () => {
  await fc.assert(
    fc.asyncProperty(anyLog, fc.double({ min: 0.1, max: 1, noNaN: true }), async (steps, part) => {
      const { store, now } = await storeOf(steps);
      fc.pre((await headOf(store)).position > 0);
      const { key, checkpoint, size } = await seal(store, [part / 2, part]);
      const found = await verify(store, { keys: [key], outside: [checkpoint], now });
      assertEquals([found.violations, found.differences], [{ total: 0, shown: [] }, { total: 0, shown: [] }]);
      assertEquals([found.sealed, found.signed], [size, found.checkpoints + 1]);
    }),
    { numRuns: 20 },
  );
});

Deno.test("whatever is done to the pages of a sealed log is found", async () => {
  await fc.assert(
    fc.asyncProperty(anyLog, anyLogDamage, async (steps, damage) => {
      const { store } = await storeOf(steps);
      fc.pre((await headOf(store)).position > 0);
      const { key } = await seal(store);
      const pages = await pagesIn(store);
      const { puts, deletes } = damage(pages);
      await tamper(store, puts, deletes);
      fc.pre(JSON.stringify(await pagesIn(store)) !== JSON.stringify(pages));
      const found = await verify(store, { keys: [key] });
      assert(found.violations.total > 0);
    }),
    { numRuns: 100 },
  );
});

Deno.test("an event that was changed into another lawful one is named by its position, and by nothing before it", async () => {
  for (const grower of [undefined, treeThread]) {
    const { store } = await storeOf(LONG);
    const { key, size } = await seal(store);
    for (const position of [0, 1, Math.floor(size / 2), size - 1]) {
      const copy = await copyOf(store);
      await rewrite(copy, position, (event) => ({ ...event, reason: "it was not me" }));
      const found = await verify(copy, { keys: [key], ...grower && { grower } });
      assertEquals(found.first!.position, position);
      assertEquals(found.first!.what, "the stored bytes are not those that the tree has the hash of");
    }
  }
});

Deno.test("events and tree changed together are found by the checkpoint, which says from where on", async () => {
  const { store } = await storeOf(LONG);
  const { key } = await seal(store, [0.3, 0.7, 1]);
  const { position: events, log_id } = await headOf(store);
  const at = Math.ceil(events * 0.5);
  const forged = await copyOf(store);
  await rewrite(forged, at, (event) => ({ ...event, reason: "it was not me" }));
  for (const { key } of await allIn(forged)) {
    if (["00t", "tc", "tk"].includes(key[0] as string)) await tamper(forged, [], [key]);
  }
  await seal(forged, [0.3, 0.7, 1]);
  const notes = (await allIn(store)).filter(({ key }) => key[0] === "tk");
  await tamper(forged, notes);

  const found = await verify(forged, { keys: [key] });
  const [from, to] = [Math.ceil(events * 0.3), Math.ceil(events * 0.7)];
  assertEquals(found.first, {
    position: from,
    what: `the checkpoint of ${to} events has not their root: ` +
      `an event from ${from} to ${to - 1} is not the one that was sealed`,
  });
  assertEquals(found.sealed, from);
  assertEquals(log_id, key.name);
});

Deno.test("a log rewritten together with all its seals is found by the key, and by a checkpoint kept elsewhere", async () => {
  const { store } = await storeOf(LONG);
  const { key, checkpoint } = await seal(store);
  const forged = await copyOf(store);
  await rewrite(forged, 3, (event) => ({ ...event, reason: "it was not me" }));
  for (const { key } of await allIn(forged)) {
    if (["00t", "tc", "tk"].includes(key[0] as string)) await tamper(forged, [], [key]);
  }
  await seal(forged);
  assertEquals((await verify(forged)).violations.total, 0, "nothing within the file tells");
  const byKey = await verify(forged, { keys: [key] });
  assertEquals(byKey.violations.shown.map(({ what }) => what.replace(/\d+/, "N")), [
    "the checkpoint of N events is not signed by the key",
    "the checkpoint of N events is not signed by the key",
    "the checkpoint of N events is not signed by the key",
  ]);
  assert((await verify(forged, { outside: [checkpoint] })).violations.total > 0);
});

Deno.test("a log that was taken back with its seals is found by a checkpoint kept elsewhere, and only by that", async () => {
  const earlier = LONG.slice(0, Math.ceil(LONG.length / 2));
  const { store: before } = await storeOf(earlier);
  const logId = (await headOf(before)).log_id;
  const { key, size } = await seal(before);
  assertEquals((await verify(before, { keys: [key] })).violations.total, 0);
  const { privateKey } = generateKeyPairSync("ed25519");
  const later = signCheckpoint({ origin: logId, size: size + 5, root: new Uint8Array(32) }, {
    name: logId,
    privateKey,
  });
  const { violations, first } = await verify(before, { outside: [later] });
  assertEquals(first, {
    position: size,
    what: `the log ends here, but there is an outside checkpoint of ${size + 5} events`,
  });
  assertEquals(violations.total, 1);
});

Deno.test("events that were cut off, head and all, are missed", async () => {
  const { store } = await storeOf(LONG);
  const { key, size } = await seal(store);
  const head = await headOf(store);
  const pages = await pagesIn(store);
  const last = pages.at(-1)!;
  const position = last.key[2] as number;
  await tamper(store, [{ key: headKey(0), value: encodeHead({ ...head, position }) }], [last.key]);
  const found = await verify(store, { keys: [key] });
  assertEquals(found.first!.position, position);
  assert(found.violations.shown.some(({ what }) => what.includes(`its tree has ${size} events`)));
});

Deno.test("every tile, checkpoint and cursor is missed when it goes, and found when it is changed or added to", async () => {
  const { store } = await storeOf(LONG);
  const { key } = await seal(store);
  const seals = (await allIn(store)).filter(({ key }) => ["00t", "tc", "tk"].includes(key[0] as string));
  assertEquals(new Set(seals.map(({ key }) => key[0])).size, 3);
  for (const { key: at, value } of seals) {
    const gone = await copyOf(store);
    await tamper(gone, [], [at]);
    assert((await verify(gone, { keys: [key] })).violations.total > 0, `${at} deleted`);
    for (let n = 0; n < value.length; n += Math.ceil(value.length / 40)) {
      const changed = await copyOf(store);
      await tamper(changed, [{ key: at, value: value.with(n, value[n]! ^ 4) }]);
      assert((await verify(changed, { keys: [key] })).violations.total > 0, `${at} changed at ${n}`);
    }
    for (const stranger of [[...at, 1], [...at.slice(0, -1), 7_777_777], [at[0]!, 9, 9, 9]]) {
      const more = await copyOf(store);
      await tamper(more, [{ key: stranger, value }]);
      assert((await verify(more, { keys: [key] })).violations.total > 0, `${stranger} added`);
    }
  }
});

Deno.test("keys and checkpoints of another log are refused with both names", async () => {
  const { store } = await storeOf(LONG);
  const { store: other } = await storeOf(LONG.slice(0, 20));
  const [mine, theirs] = [await seal(store), await seal(other)];
  await assertRejects(() => verify(store, { keys: [theirs.key] }), OtherLogError, theirs.key.name);
  await assertRejects(() => verify(store, { outside: [theirs.checkpoint] }), OtherLogError, mine.key.name);
  await assertRejects(() => verify(store, { outside: ["nonsense"] }), OtherLogError, "no signed note");
});

async function headOf(store: Store) {
  return decodeHead((await store.get(headKey(0))).value!);
}

async function copyOf(store: Store): Promise<Store> {
  const copy = new MemoryStore();
  const entries = await allIn(store);
  await copy.commit({ check: { key: headKey(0), versionstamp: null }, puts: entries, deletes: [] });
  return copy;
}

async function rewrite(store: Store, position: number, change: (event: Record<string, unknown>) => unknown) {
  const page = (await pagesIn(store)).findLast(({ key }) => key[2] as number <= position)!;
  const lines = decoder.decode(page.value).split("\n");
  const at = position - (page.key[2] as number);
  lines[at] = JSON.stringify(change(JSON.parse(lines[at]!)));
  await tamper(store, [{ key: page.key, value: encoder.encode(lines.join("\n")) }]);
}
