import { KvStore } from "../../src/events/kv_store.ts";
import { eventLogSuite } from "./event_log_suite.ts";

eventLogSuite("a Deno KV file", async () => {
  const folder = await Deno.makeTempDir();
  return {
    open: async () => new KvStore(await Deno.openKv(`${folder}/test.kv`)),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
});
