import { assertRejects } from "@std/assert";
import { StoreUnreadableError } from "../../src/events/errors.ts";
import { KvStore } from "../../src/events/kv_store.ts";

Deno.test("a read that fails is told as one, however it is asked for", async () => {
  const kv = await Deno.openKv(":memory:");
  const store = new KvStore(kv);
  kv.close();
  for (
    const read of [
      () => store.get(["k"]),
      () => store.getMany([["k"]]),
      () => store.list({ prefix: ["k"] }, { limit: 1 }),
    ]
  ) await assertRejects(read, StoreUnreadableError, "The store could not be read: ");
});
