/**
 * After a repair everything is again as the log says, and the log is untouched.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { LogChangedError, repair, UnlawfulLogError } from "../../src/audit/repair.ts";
import { replay } from "../../src/audit/replay.ts";
import { headKey } from "../../src/events/head.ts";
import type { Store } from "../../src/events/store.ts";
import { projectionDifferences } from "../support/consistency.ts";
import { anyDamage, anyLog, storeOf, tamper, viewsOf } from "./support/random_log.ts";

const LOG = fc.sample(anyLog, { numRuns: 1, seed: 3 })[0]!;

async function logOf(store: Store) {
  const [events, heads] = await Promise.all(
    ["0e", "h"].map((part) => store.list({ prefix: [part] }, { limit: 1e6 })),
  );
  return { events, heads };
}

Deno.test("repair() makes of any damage what the log says, and leaves the log alone", async () => {
  await fc.assert(
    fc.asyncProperty(anyLog, fc.array(anyDamage, { minLength: 1, maxLength: 10 }), async (steps, damages) => {
      const { store, now } = await storeOf(steps);
      const log = await logOf(store);
      for (const damage of damages) {
        const views = await viewsOf(store);
        fc.pre(views.length > 0);
        const { puts, deletes } = damage(views);
        await tamper(store, puts, deletes);
      }
      const found = await replay(store, { now });
      const { written, deleted } = await repair(store, found, { now });
      assertEquals(written + deleted, found.differences.total);
      assertEquals(await projectionDifferences(store, { now }), []);
      assertEquals((await replay(store, { now })).differences.total, 0);
      assertEquals(await logOf(store), log);
    }),
    { numRuns: 300 },
  );
});

Deno.test("repair() rebuilds everything when nothing but the log is left", async () => {
  const { store, now } = await storeOf(LOG);
  const views = await viewsOf(store);
  await tamper(store, [], views.map(({ key }) => key));
  await repair(store, await replay(store, { now }), { now });
  const expired = (key: readonly unknown[]) => key[0] === "i" || key[0] === "x";
  assertEquals(
    (await viewsOf(store)).filter(({ key }) => !expired(key)),
    views.filter(({ key, value }) => !expired(key) && !isNothing(key, value)),
  );
  assertEquals(await projectionDifferences(store, { now }), []);
});

/** Counts of a queue and type that had jobs once say nothing, and are not written again; nor is an empty `["r"]`. */
function isNothing([prefix]: readonly unknown[], value: Uint8Array): boolean {
  return (prefix === "c" || prefix === "r") && !/[1-9]|null/.test(new TextDecoder().decode(value));
}

Deno.test("repair() writes more than one commit holds", async () => {
  const { store } = await storeOf(LOG);
  const strangers = Array.from({ length: 1_200 }, (_, n) => ({ key: ["q", n], value: new Uint8Array() }));
  await tamper(store, strangers);
  assertEquals(await repair(store, await replay(store)), { written: 0, deleted: 1_200 });
  assertEquals((await replay(store)).differences.total, 0);
});

Deno.test("repair() refuses a log that is not lawful, and names the first position", async () => {
  const { store } = await storeOf(LOG);
  await tamper(store, [{ key: ["q"], value: new Uint8Array() }, {
    key: ["0e", 0, 0],
    value: new TextEncoder().encode("{"),
  }]);
  const before = await viewsOf(store);
  const found = await replay(store);
  await assertRejects(
    () => repair(store, found),
    UnlawfulLogError,
    "position 0: the stored bytes are not an event",
  );
  assertEquals(await viewsOf(store), before);
});

Deno.test("repair() refuses when the log was written to since the replay", async () => {
  const { store } = await storeOf(LOG);
  const found = await replay(store);
  const head = JSON.parse(new TextDecoder().decode((await store.get(headKey(0))).value!));
  const value = new TextEncoder().encode(JSON.stringify({ ...head, batch_id: "another" }));
  await tamper(store, [{ key: headKey(0), value }, { key: ["q"], value }]);
  const before = await viewsOf(store);
  await assertRejects(() => repair(store, found), LogChangedError);
  assertEquals(await viewsOf(store), before);
});

Deno.test("repair() stops when somebody writes to the log meanwhile", async () => {
  const { store } = await storeOf(LOG);
  await tamper(store, [{ key: ["q"], value: new Uint8Array() }]);
  const found = await replay(store);
  const writesMeanwhile = async () => {
    const { value } = await store.get(headKey(0));
    await tamper(store, [{ key: headKey(0), value: value! }]);
  };
  let writing: Promise<void> | undefined;
  const onProgress = () => void (writing ??= writesMeanwhile());
  await assertRejects(() => repair(store, found, { onProgress }), LogChangedError);
  await writing;
});
