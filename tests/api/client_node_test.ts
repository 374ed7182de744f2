import { assertEquals } from "@std/assert";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { ADMIN, testApp } from "./support/test_app.ts";

const SCRIPT = `
import { createClient, DaybookError } from "./client.mjs";
const { createBackgroundJob, getBackgroundJobs, waitForBackgroundJob } =
  createClient({ url: process.argv[2], token: process.argv[3] });
const job = await createBackgroundJob({ job_type: "anything", payload: { from: "node" } });
const done = await waitForBackgroundJob(job.id, { timeoutSeconds: 0 });
const list = await getBackgroundJobs("queued");
const error = await createBackgroundJob({ job_type: "nope" }).catch((error) => error);
const away = await createClient({ url: "http://127.0.0.1:1", token: "x" }).getStats().catch((error) => error);
console.log(JSON.stringify({
  payload: done.payload, listed: list.length, known: error instanceof DaybookError, detail: error.detail,
  away: away.status,
}));
`;

const node = await versionOfNode();

Deno.test({
  name: `the client runs in Node.js as it is, its types taken away${
    node ? "" : " (skipped: there is no node)"
  }`,
  ignore: node === undefined,
  async fn() {
    const source = await Deno.readTextFile(new URL("../../src/api/client.ts", import.meta.url));
    // Throws on syntax that is more than types.
    const script = stripTypeScriptTypes(source);
    assertEquals(/^\s*import /m.test(script), false, "the client imports nothing at run time");

    const dir = await Deno.makeTempDir();
    const { app } = testApp();
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, app.fetch);
    try {
      await Deno.writeTextFile(join(dir, "client.mjs"), script);
      await Deno.writeTextFile(join(dir, "main.mjs"), SCRIPT);
      const { stdout, stderr } = await new Deno.Command("node", {
        args: [join(dir, "main.mjs"), `http://127.0.0.1:${server.addr.port}`, ADMIN],
      }).output();
      const text = new TextDecoder().decode(stdout) || new TextDecoder().decode(stderr);
      assertEquals(JSON.parse(text), {
        payload: { from: "node" },
        listed: 1,
        known: true,
        detail: "Unknown job type: 'nope'",
        away: 0,
      });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

async function versionOfNode(): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command("node", { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout).trim();
  } catch {
    return undefined;
  }
}
