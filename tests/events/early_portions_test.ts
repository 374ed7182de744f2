import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { earlyPortions, keysNamed, UNDO } from "../../src/events/early_entries.ts";
import { KvStore } from "../../src/events/kv_store.ts";
import type { StoreEntry } from "../../src/events/store.ts";
import { utf8 } from "../../src/events/utf8.ts";
import { FaultyStore } from "../support/faulty_store.ts";

const anyEntries = fc.uniqueArray(fc.string({ unit: "binary", maxLength: 64, size: "max" }), {
  minLength: 0,
  maxLength: 2_500,
  size: "max",
}).map((tags) => tags.map((tag, i): StoreEntry => ({ key: ["g", tag.toWellFormed(), i], value: utf8("") })));

Deno.test("what precedes a batch is parted into commits that Deno KV takes, each with a record of its keys", async () => {
  await fc.assert(
    fc.asyncProperty(fc.noBias(anyEntries), async (entries) => {
      const store = new FaultyStore(new KvStore(await Deno.openKv(":memory:")));
      const portions = earlyPortions(entries);
      for (const [i, { record, puts }] of portions.entries()) {
        const check = { key: ["h", 0], versionstamp: null };
        assert(await store.commit({ check, puts, deletes: [] }) !== null);
        const [first, ...others] = puts;
        assertEquals([record, first!.key], [[UNDO, i], [UNDO, i]]);
        assertEquals(keysNamed(first!.value), others.map(({ key }) => [...key]));
        assert(others.length > 0);
      }
      assertEquals(portions.flatMap(({ puts }) => puts.slice(1)), entries);
      store.close();
    }),
    { numRuns: 20 },
  );
});

Deno.test("what is no undo record names nothing", () => {
  for (const value of ["", "{}", '["g"]', '[["g",null]]', '[["g"]', "\xff"]) {
    assertEquals(keysNamed(new TextEncoder().encode(value)), undefined, value);
  }
  assertEquals(keysNamed(new Uint8Array([0xff])), undefined);
  assertEquals(keysNamed(utf8('[["g","t",1]]')), [["g", "t", 1]]);
});
