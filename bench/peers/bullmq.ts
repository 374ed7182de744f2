/**
 * BullMQ, on a `redis-server` that is started for each measurement.
 *
 * @module
 */
import clients from "./clients/deno.json" with { type: "json" };
import { runClient } from "./client_process.ts";
import type { Candidate, Task } from "./contender.ts";
import { freePort, LocalServer, versionOf } from "./local_server.ts";

const COMMAND = "redis-server";
const VERSION = clients.imports.bullmq.split("@").at(-1);

export const bullmqFsynced = bullmq(
  "bullmq_fsynced",
  "appendonly yes, appendfsync always: each write fsynced",
  ["appendonly yes", "appendfsync always"],
);

export const bullmqDefaults = bullmq(
  "bullmq_defaults",
  "Redis' defaults: a snapshot now and then; a crash loses what came after it",
  [],
);

/** @param config Lines of `redis.conf`. */
function bullmq(name: string, durability: string, config: readonly string[]): Candidate {
  return {
    name,
    find: async () => {
      const redis = /v=([\d.]+)/.exec(await versionOf(COMMAND) ?? "")?.[1];
      if (redis === undefined) return { missing: `there is no ${COMMAND} on the PATH` };
      return {
        title: `BullMQ ${VERSION} on Redis ${redis}`,
        durability,
        measure: (task, folder) => measure(task, folder, config),
      };
    },
  };
}

async function measure(task: Task, folder: string, config: readonly string[]) {
  const port = freePort();
  const password = crypto.randomUUID();
  await using _server = await LocalServer.start({
    command: COMMAND,
    args: ["-"],
    cwd: folder,
    input: [`bind 127.0.0.1`, `port ${port}`, `requirepass ${password}`, ...config, ""].join("\n"),
    endSignal: "SIGKILL",
  });
  return await runClient("clients/bullmq.ts", ["--allow-net=127.0.0.1", "--allow-env", "--allow-read"], {
    ...task,
    address: `redis://:${password}@127.0.0.1:${port}`,
  });
}
