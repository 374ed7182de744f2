/**
 * Exports: the exact bytes, whole or refused, and a log again when they are imported.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { gunzipSync } from "node:zlib";
import { CARRYING_KEY, carryLog } from "../../src/audit/export/carry_log.ts";
import { exportLog } from "../../src/audit/export/export_log.ts";
import { importLog } from "../../src/audit/export/import_log.ts";
import { ExportError, MANIFEST } from "../../src/audit/export/manifest.ts";
import { verify } from "../../src/audit/verify.ts";
import { readEvents } from "../../src/events/event_page.ts";
import { decodeHead, headKey } from "../../src/events/head.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { Store } from "../../src/events/store.ts";
import { anyLog, storeOf, tamper } from "./support/random_log.ts";
import { seal } from "./support/sealed.ts";

const STEPS = fc.sample(anyLog, { numRuns: 1, seed: 11 })[0]!;
const decoder = new TextDecoder();
const newId = () => crypto.randomUUID();

const eventsIn = async (store: Store) =>
  (await readEvents(store, 0, 0, 1e6)).map((bytes) => decoder.decode(bytes));

async function withFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "daybook_export_" });
  try {
    await test(`${dir}/export`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function importInto(dir: string): Promise<Store> {
  const store = new MemoryStore();
  await importLog(dir, store, { newId });
  return store;
}

Deno.test("any log that is exported and imported is the same log, and verifies with the same key and checkpoints", async () => {
  await fc.assert(
    fc.asyncProperty(anyLog, fc.double({ min: 0.1, max: 1, noNaN: true }), async (steps, part) => {
      const { store, now } = await storeOf(steps);
      fc.pre(decodeHead((await store.get(headKey(0))).value!).position > 0);
      const { key, checkpoint } = await seal(store, [part / 2, part]);
      await withFolder(async (dir) => {
        const { manifest } = await exportLog(store, dir, { segmentEvents: 20 });
        const imported = await importInto(dir);
        assertEquals(await eventsIn(imported), await eventsIn(store));
        const found = await verify(imported, { keys: [key], outside: [checkpoint], now });
        const wanted = await verify(store, { keys: [key], outside: [checkpoint], now });
        assertEquals([found.violations.shown, found.differences.shown], [[], []]);
        assertEquals({ ...found, batchId: "", entries: 0 }, { ...wanted, batchId: "", entries: 0 });
        await withFolder(async (again) => {
          assertEquals((await exportLog(imported, again, { segmentEvents: 20 })).manifest, manifest);
        });
      });
    }),
    { numRuns: 15 },
  );
});

Deno.test("the lines of an export are the stored bytes, event by event, a line break after each", async () => {
  const { store } = await storeOf(STEPS);
  await seal(store);
  await withFolder(async (dir) => {
    const { manifest } = await exportLog(store, dir, { segmentEvents: 50 });
    const text = manifest.segments.map(({ file }) =>
      decoder.decode(gunzipSync(Deno.readFileSync(`${dir}/${file}`)))
    ).join("");
    assertEquals(text, (await eventsIn(store)).map((line) => `${line}\n`).join(""));
    assert(manifest.segments.length > 3);
  });
});

Deno.test("an export that was cut off goes on where it was, and one of a log that has grown adds what is new", async () => {
  const { store } = await storeOf(STEPS);
  await seal(store);
  await withFolder(async (dir) => {
    const whole = await exportLog(store, dir, { segmentEvents: 50 });
    await Deno.remove(`${dir}/${MANIFEST}`);
    const files = whole.manifest.segments.map(({ file }) => `${dir}/${file}`);
    await Deno.remove(files.at(-1)!);
    await Deno.writeTextFile(`${files.at(-1)!}.partial`, "half");
    await Deno.truncate(files[1]!, 10);
    await assertRejects(() => importInto(dir), ExportError, "is not a finished export");
    const again = await exportLog(store, dir, { segmentEvents: 50 });
    assertEquals(again.manifest, whole.manifest);
    assertEquals(again.kept, files.length - 2);
  });
});

Deno.test("an export of which any file is damaged, missing or exchanged is refused, and none is written over by another log's", async () => {
  const { store } = await storeOf(STEPS);
  const { key } = await seal(store);
  const [{ store: other }] = [await storeOf(STEPS.slice(0, 30))];
  await withFolder(async (dir) => {
    const { manifest } = await exportLog(store, dir, { segmentEvents: 100 });
    await assertRejects(() => exportLog(other, dir), ExportError, `of log ${manifest.log_id}`);
    const names = [...manifest.segments.map(({ file }) => file), MANIFEST, "checkpoints.txt"];
    for (const name of names) {
      const path = `${dir}/${name}`;
      const whole = await Deno.readFile(path);
      const refused = async (what: string) => {
        try {
          const imported = await importInto(dir);
          const { violations, differences } = await verify(imported, { keys: [key] });
          assert(violations.total + differences.total > 0, `${name} ${what}`);
        } catch (error) {
          assert(error instanceof ExportError, `${name} ${what}: ${(error as Error).stack}`);
        }
      };
      await Deno.remove(path);
      await refused("missing");
      for (let n = 0; n < 25; n++) {
        const at = Math.floor(whole.length * n / 25);
        await Deno.writeFile(path, whole.with(at, whole[at]! ^ 1));
        await refused(`changed at ${at}`);
      }
      await Deno.writeFile(path, whole.subarray(0, whole.length >> 1));
      await refused("cut");
      await Deno.writeFile(path, whole);
    }
    assertEquals(await eventsIn(await importInto(dir)), await eventsIn(store), "it is whole again");
  });
});

Deno.test("a log that is not the one that was sealed is not exported", async () => {
  const { store } = await storeOf(STEPS);
  await seal(store);
  const [page] = await store.list({ prefix: ["0e"] }, { limit: 1 });
  const forged = decoder.decode(page!.value).replace('"actor":"tester"', '"actor":"nobody"');
  await tamper(store, [{ key: page!.key, value: new TextEncoder().encode(forged) }]);
  await withFolder(async (dir) => {
    await assertRejects(() => exportLog(store, dir), ExportError, "is not the one that was sealed");
    await tamper(store, [], [page!.key]);
    await assertRejects(() => exportLog(store, dir), ExportError, "gap or an overlap at position 0");
    await Deno.writeTextFile(`${dir}/letter.txt`, "mine");
    await assertRejects(() => exportLog(store, dir), ExportError, "holds other files");
  });
});

Deno.test("CloudEvents have the attributes that the specification demands, and cannot be imported", async () => {
  const { store } = await storeOf(STEPS);
  await seal(store);
  await withFolder(async (dir) => {
    const { manifest } = await exportLog(store, dir, { cloudEvents: true });
    assertEquals(manifest.format, "daybook-cloudevents/1");
    const lines = decoder.decode(gunzipSync(Deno.readFileSync(`${dir}/${manifest.segments[0]!.file}`))).trim()
      .split("\n");
    const stored = (await eventsIn(store)).map((line) => JSON.parse(line));
    assertEquals(lines.length, stored.length);
    const ids = new Set<string>();
    lines.forEach((line, i) => {
      const { specversion, id, source, type, time, subject, datacontenttype, data, ...extensions } = JSON
        .parse(line);
      assertEquals([specversion, source, datacontenttype], [
        "1.0",
        `urn:uuid:${manifest.log_id}`,
        "application/json",
      ]);
      assertEquals([type, subject, time, data], [
        `daybook.${stored[i].type}`,
        stored[i].stream,
        stored[i].time,
        stored[i].data,
      ]);
      ids.add(id);
      for (const [name, value] of Object.entries(extensions)) {
        // Section 3.1: lower-case letters and digits; section 3.2: integers of 32 bits, strings, no null.
        assert(/^[a-z0-9]{1,20}$/.test(name), name);
        assert(
          typeof value === "string" && value !== "" || Number.isInteger(value) && value as number < 2 ** 31,
          name,
        );
      }
    });
    assertEquals(ids.size, lines.length);
    await assertRejects(() => importInto(dir), ExportError, "a view that lacks the stored bytes");
  });
});

Deno.test("a log that is carried elsewhere is no log there until all of it is, and can be carried again after it was cut off", async () => {
  const { store } = await storeOf(STEPS);
  const { key } = await seal(store);
  for (const failing of [1, 2, 3]) {
    const to = new MemoryStore();
    let commits = 0;
    const cut: Store = {
      get: (key) => to.get(key),
      getMany: (keys) => to.getMany(keys),
      list: (range, options) => to.list(range, options),
      commit: (commit) => ++commits > failing ? Promise.reject(new Error("cut off")) : to.commit(commit),
      close: () => {},
    };
    await carryLog(store, cut, "this").then(() => assert(failing > 2), () => {});
    if ((await to.get(headKey(0))).value === null) {
      await assertRejects(() => carryLog(store, to, "another"), ExportError, "was begun there");
      await carryLog(store, to, "this");
    }
    assertEquals((await to.get(CARRYING_KEY)).value, null);
    assertEquals((await verify(to, { keys: [key] })).violations.total, 0);
    await assertRejects(() => carryLog(store, to, "this"), ExportError, "There is a log already");
  }
  const taken = new MemoryStore();
  await tamper(taken, [{ key: ["q"], value: new Uint8Array() }]);
  await assertRejects(() => carryLog(store, taken, "this"), ExportError, "There are other entries already");
});
