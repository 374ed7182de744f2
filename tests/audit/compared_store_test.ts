/**
 * What a store says of its entries is what anybody would find who reads them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { comparedStore } from "../../src/audit/compared_store.ts";
import { headKey } from "../../src/events/head.ts";
import { KvStore } from "../../src/events/kv_store.ts";
import { SqliteSnapshot } from "../../src/events/sqlite_snapshot.ts";
import type { Store } from "../../src/events/store.ts";
import { encodeHead } from "../../src/events/head.ts";

const key = fc.array(fc.constantFrom<string | number>("a", "b", "b\0", 1, 2), { minLength: 1, maxLength: 3 });
const entry = fc.record({ key, value: fc.uint8Array({ maxLength: 2, max: 2 }) });
const HEAD = encodeHead({ log_id: "log", epoch: 1, position: 0, batch_id: "b", time: 0, partitions: 1 });

/** The store's own abilities hidden, so that another must read for it. */
function plain(store: Store): Store {
  return {
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    list: (range, options) => store.list(range, options),
    commit: (commit) => store.commit(commit),
    close: () => store.close(),
  };
}

Deno.test("comparedStore() of a snapshot compares and counts as one that reads the values", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 20 }),
      fc.array(entry, { maxLength: 20 }),
      key,
      async (entries, asked, prefix) => {
        const dir = await Deno.makeTempDir();
        const path = `${dir}/daybook.kv`;
        const kv = new KvStore(await Deno.openKv(path));
        const puts = [...entries, { key: headKey(0), value: HEAD }];
        await kv.commit({ check: { key: headKey(0), versionstamp: null }, puts, deletes: [] });
        kv.close();
        const snapshot = SqliteSnapshot.open(path);
        try {
          const [native, reading] = [comparedStore(snapshot), comparedStore(plain(snapshot))];
          const all = [...entries, ...asked];
          assertEquals(await native.holds(all), await reading.holds(all));
          for (const range of [{ prefix }, { prefix: [] }, { prefix: [], start: prefix }]) {
            assertEquals(await native.count(range), await reading.count(range));
          }
        } finally {
          snapshot.close();
          await Deno.remove(dir, { recursive: true });
        }
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("comparedStore() counts more than one page", async () => {
  const kv = new KvStore(await Deno.openKv(":memory:"));
  for (let n = 0; n < 5; n++) {
    const puts = Array.from({ length: 500 }, (_, i) => ({ key: ["k", n, i], value: new Uint8Array() }));
    await kv.commit({ check: { key: ["none"], versionstamp: null }, puts, deletes: [] });
  }
  assertEquals(await comparedStore(kv).count({ prefix: ["k"] }), 2_500);
  kv.close();
});
