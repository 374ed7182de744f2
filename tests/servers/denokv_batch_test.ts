import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../src/events/kv_store.ts";
import { JOBS, SPECS } from "../actors/support/tagged_batch.ts";
import { TESTER } from "../actors/support/log_of_jobs.ts";
import { TestRuntime } from "../actors/support/test_runtime.ts";
import { denokv } from "./support/denokv_server.ts";

Deno.test({
  name: denokv.titleOf("denokv takes an atomic batch with as many tags as its jobs may have, as one"),
  ignore: denokv.unavailable,
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "daybook_denokv_" });
    try {
      await using server = await denokv.start(`${dir}/server.kv`);
      Deno.env.set("DENO_KV_ACCESS_TOKEN", denokv.token);
      const store = new KvStore(await Deno.openKv(server.url));
      const test = await TestRuntime.open({ store, startNow: false });
      const outcomes = await test.commands.createMany(SPECS, TESTER, { atomic: true });
      assert(outcomes.every((outcome) => "job" in outcome));
      const { jobs } = await test.queries.list({ tag: SPECS[0]!.tags[0]! }, { limit: 500 });
      assertEquals(jobs.length, JOBS);
      await test.stop();
    } finally {
      Deno.env.delete("DENO_KV_ACCESS_TOKEN");
      await Deno.remove(dir, { recursive: true });
    }
  },
});
