/**
 * The HTTP interface on a runtime without workers.
 *
 * @module
 */
import { z } from "zod";
import { BACKOFF_DEFAULT } from "../src/actors/job/job.ts";
import { createApp } from "../src/api/app.ts";
import { adminTokenVerifier } from "../src/api/tokens.ts";
import { openNoopRuntime } from "./noop_runtime.ts";

const runtime = await openNoopRuntime({
  path: `${Deno.env.get("DAYBOOK_DATA")!}/daybook.kv`,
  concurrency: 10,
});
const stopping = new AbortController();
const app = createApp({
  jobs: {
    ...runtime.jobs,
    jobTypes: {
      names: () => ["cache_flush"],
      get: () => ({
        payloadSchema: z.strictObject({ action: z.enum(["full", "partial"]).optional() }),
        timeoutSeconds: 300,
      }),
    },
  },
  tokens: adminTokenVerifier(Deno.env.get("DAYBOOK_TOKEN")!),
  backoffDefault: BACKOFF_DEFAULT,
  stopping: stopping.signal,
});
const server = Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
}, app.fetch);
Deno.addSignalListener("SIGTERM", async () => {
  stopping.abort();
  await server.shutdown();
  await runtime.log.close();
  Deno.exit(0);
});
