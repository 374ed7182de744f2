/**
 * A log is carried from the embedded file to a real KV Connect server and back.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { formatVerifierKey } from "../../src/events/merkle/signed_note.ts";
import { seal } from "../audit/support/sealed.ts";
import { denokv } from "./support/denokv_server.ts";
import { audit, throughKv, withFile } from "../tasks/support/audit_runs.ts";

const title = "export and import carry a log from the embedded file to denokv and back, where it verifies";

Deno.test({
  name: denokv.titleOf(title),
  ignore: denokv.unavailable,
  fn: () =>
    withFile(async (path) => {
      const { key } = await throughKv(path, (store) => seal(store));
      await using server = await denokv.start(`${path}.server`);
      const env = { DENO_KV_ACCESS_TOKEN: denokv.token };
      const keyArgs = ["--key", formatVerifierKey(key)];
      const run = async (...args: string[]) => {
        const { code, out, err } = await audit([...args], env);
        assertEquals(code, 0, err + out);
        return out;
      };
      await run("export", `${path}.there`, "--kv", path);
      await run("import", `${path}.there`, "--kv", server.url, ...keyArgs);
      const there = JSON.parse(await run("verify", "--kv", server.url, ...keyArgs, "--json"));
      assertEquals([there.valid, there.signatures.right], [true, 3]);

      const twice = await audit(["import", `${path}.there`, "--kv", server.url], env);
      assertEquals(twice.code, 2);
      assert(twice.err.includes("There is a log already"), twice.err);

      await run("export", `${path}.back`, "--kv", server.url);
      await run("import", `${path}.back`, "--kv", `${path}.again`, ...keyArgs);
      const again = JSON.parse(await run("verify", "--kv", `${path}.again`, ...keyArgs, "--json"));
      assertEquals([again.valid, again.events, again.log_id], [true, there.events, there.log_id]);
      const manifests = ["there", "back"].map((name) =>
        Deno.readTextFileSync(`${path}.${name}/manifest.json`)
      );
      assertEquals(manifests[0], manifests[1]);
    }),
});
