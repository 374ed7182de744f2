import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { keyBytes, mostKeyBytes, type StoreKey } from "../../src/events/store.ts";

const KV_KEY_BYTES = 80 * 1024;

Deno.test("keyBytes() counts what Deno KV counts, whatever characters a key has", async () => {
  using kv = await Deno.openKv(":memory:");
  for (const text of ["a", "\0", "é", "€", "🚀", "\uffff"]) {
    const key = (i: number): StoreKey => ["g", text.repeat(120), i];
    const fitting = Math.floor(KV_KEY_BYTES / keyBytes(key(1)));
    const commit = (keys: number) => {
      const atomic = kv.atomic();
      for (let i = 0; i < keys; i++) atomic.set(key(i), null);
      return atomic.commit();
    };
    assertEquals((await commit(fitting)).ok, true, JSON.stringify(text));
    await assertRejects(() => commit(fitting + 1), TypeError, "key", JSON.stringify(text));
  }
});

Deno.test("no key has more than mostKeyBytes() says", () => {
  const parts = fc.oneof(fc.string({ unit: "binary" }), fc.nat());
  fc.assert(fc.property(fc.array(parts), (key) => assert(keyBytes(key) <= mostKeyBytes(key))));
});
