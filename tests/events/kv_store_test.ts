import { assert, assertEquals, assertRejects } from "@std/assert";
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

/** Makes the planner's statistics anew, again and again, as `db_optimize` does on its own thread. */
function analyzing(path: string): Disposable & { started: Promise<void> } {
  const source = `
    import { DatabaseSync } from "node:sqlite";
    const database = new DatabaseSync(${JSON.stringify(path)}, { timeout: 100 });
    setInterval(() => {
      try { database.exec("ANALYZE"); } catch { /* The commits have the lock. */ }
      postMessage("analyzed");
    }, 2);`;
  const url = URL.createObjectURL(new Blob([source], { type: "application/javascript" }));
  const worker = new Worker(url, { type: "module" });
  const started = new Promise<void>((resolve) => worker.onmessage = () => resolve());
  return {
    started,
    [Symbol.dispose]: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}

Deno.test("commits land beside another connection that takes the file's lock again and again", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/daybook.kv`;
    const store = new KvStore(await Deno.openKv(path));
    using other = analyzing(path);
    await other.started;
    let versionstamp: string | null = null;
    for (let n = 0; n < 300; n++) {
      const value = new TextEncoder().encode(String(n));
      versionstamp = await store.commit({
        check: { key: ["head"], versionstamp },
        puts: [{ key: ["head"], value }, { key: ["log", n], value }],
        deletes: [],
      });
      assert(versionstamp !== null, `commit ${n}`);
    }
    assertEquals((await store.list({ prefix: ["log"] }, { limit: 1_000 })).length, 300);
    store.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
