/**
 * A log is carried from the embedded file to a real KV Connect server and back.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { formatVerifierKey } from "../../src/events/merkle/signed_note.ts";
import { seal } from "../audit/support/sealed.ts";
import { audit, throughKv, withFile } from "../tasks/support/audit_runs.ts";

const TOKEN = "a-token-of-the-tests";
const skipped = await isThere("denokv") ? undefined : "there is no denokv on the PATH";
const title = "export and import carry a log from the embedded file to denokv and back, where it verifies";

Deno.test({
  name: skipped === undefined ? title : `${title} [skipped: ${skipped}]`,
  ignore: skipped !== undefined,
  fn: () =>
    withFile(async (path) => {
      const { key } = await throughKv(path, (store) => seal(store));
      await using server = await DenoKvServer.start(`${path}.server`);
      const env = { DENO_KV_ACCESS_TOKEN: TOKEN };
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

class DenoKvServer implements AsyncDisposable {
  private constructor(readonly url: string, readonly process: Deno.ChildProcess) {}

  static async start(path: string): Promise<DenoKvServer> {
    const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = free.addr;
    free.close();
    const process = new Deno.Command("denokv", {
      args: ["--sqlite-path", path, "serve", "--addr", `127.0.0.1:${port}`, "--access-token", TOKEN],
      stdout: "null",
      stderr: "null",
    }).spawn();
    for (let tries = 0; tries < 200; tries++) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return new DenoKvServer(`http://127.0.0.1:${port}`, process);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    process.kill();
    throw new Error("denokv does not listen");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill();
    await this.process.status;
  }
}

async function isThere(command: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, { args: ["--help"], stdout: "null", stderr: "null" })
      .output();
    return success;
  } catch {
    return false;
  }
}
