/**
 * The store in memory is a model of Deno KV: whatever is asked of them, both give the same answers.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { KvStore } from "../../src/events/kv_store.ts";
import { compareKeys, MemoryStore } from "../../src/events/memory_store.ts";
import type { Store, StoreKey, StoreRange } from "../../src/events/store.ts";

/** Few parts, so that keys meet; among them those whose order by UTF-16 is not that by UTF-8. */
const AWKWARD = ["", "b", "ab", "a\0", "a\0b", "\0", "é", "\ud7ff", "\ue000", "\uffff", "𐀀", "😀a"];
const part = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom<string | number>("a", "😀", 1) },
  fc.constantFrom(...AWKWARD),
  fc.constantFrom(0, -0, 1, 2, 10, -1, 0.5, -0.5, 1e300, -1e300, Infinity, -Infinity, 2 ** 53),
  fc.string({ unit: "binary", maxLength: 3 }),
  fc.double({ noNaN: true }),
);
const key: fc.Arbitrary<StoreKey> = fc.array(part, { minLength: 1, maxLength: 3 });
const prefix: fc.Arbitrary<StoreKey> = fc.array(part, { maxLength: 2 });
const value = fc.uint8Array({ maxLength: 4 });

const range: fc.Arbitrary<StoreRange> = fc.record({
  prefix,
  bounds: fc.tuple(key, key),
  has: fc.constantFrom("neither", "start", "end", "both"),
}).map(({ prefix, bounds, has }) => {
  const [start, end] = bounds.map((suffix) => [...prefix, ...suffix]).sort(compareKeys);
  if (has === "start") return { prefix, start: start! };
  if (has === "end") return { prefix, end: end! };
  return has === "both" ? { prefix, start: start!, end: end! } : { prefix };
});

type Step =
  | { do: "commit"; check: StoreKey; stale: boolean; puts: [StoreKey, Uint8Array][]; deletes: StoreKey[] }
  | { do: "read"; keys: StoreKey[] }
  | { do: "list"; range: StoreRange; limit: number; reverse: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("commit" as const),
    check: key,
    stale: fc.boolean(),
    puts: fc.array(fc.tuple(key, value), { maxLength: 8 }),
    deletes: fc.array(key, { maxLength: 3 }),
  }),
  fc.record({ do: fc.constant("read" as const), keys: fc.array(key, { minLength: 1, maxLength: 25 }) }),
  fc.record({
    do: fc.constant("list" as const),
    range,
    limit: fc.integer({ min: 1, max: 12 }),
    reverse: fc.boolean(),
  }),
);

async function perform(store: Store, step: Step): Promise<unknown> {
  if (step.do === "list") return await store.list(step.range, { limit: step.limit, reverse: step.reverse });
  if (step.do === "read") {
    const [one, many] = [await store.get(step.keys[0]!), await store.getMany(step.keys)];
    return [one.value, one.versionstamp === null, many];
  }
  const { versionstamp } = await store.get(step.check);
  const wrong = versionstamp === null ? "00000000000000000001" : null;
  const committed = await store.commit({
    check: { key: step.check, versionstamp: step.stale ? wrong : versionstamp },
    puts: step.puts.map(([key, value]) => ({ key, value })),
    deletes: step.deletes,
  });
  const there = await Promise.all(step.puts.map(async ([key]) => {
    const found = await store.get(key);
    return [found.value, found.versionstamp === committed];
  }));
  return [committed === null, there];
}

Deno.test("MemoryStore answers every commit, read and list as Deno KV does", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const [model, kv] = [new MemoryStore(), new KvStore(await Deno.openKv(":memory:"))];
      try {
        for (const step of steps) assertEquals(await perform(model, step), await perform(kv, step));
      } finally {
        kv.close();
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("MemoryStore keeps keys in Deno KV's order: strings before numbers, strings by UTF-8", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(key, { maxLength: 40, selector: (k) => JSON.stringify(k) }),
      async (keys) => {
        const kv = new KvStore(await Deno.openKv(":memory:"));
        const puts = keys.map((key) => ({ key, value: new Uint8Array() }));
        await kv.commit({ check: { key: ["none"], versionstamp: null }, puts, deletes: [] });
        const listed = await kv.list({ prefix: [] }, { limit: 100 });
        kv.close();
        assertEquals(keys.toSorted(compareKeys), listed.map(({ key }) => key));
      },
    ),
    { numRuns: 200 },
  );
});
