/**
 * Daybook, which needs no database server; jobs are posted to its own HTTP server, as `deno task start` runs it.
 *
 * @module
 */
import { join } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { NOOP, postRequest, startServerOfOneSlot, takeTheSlot, waitingJobs } from "../held_server.ts";
import type { Finding } from "./assignment.ts";
import { runClient } from "./client_process.ts";
import type { Contender, Task } from "./contender.ts";
import { post } from "./posted.ts";

export const daybook: Contender = {
  title: `Daybook ${project.version}`,
  durability: "each commit fsynced; the whole history is kept",
  measure: (task, folder) =>
    task.work === "posted" ? postTo(task, folder) : runClient(
      "daybook_client.ts",
      ["--allow-read", `--allow-write=${folder}`, "--allow-env", "--allow-sys=hostname"],
      { ...task, address: folder },
    ),
};

async function postTo(task: Task, folder: string): Promise<Finding> {
  await using server = await startServerOfOneSlot(join(folder, "data"));
  await takeTheSlot(server);
  return await post({
    port: server.port,
    request: postRequest("/background-jobs", NOOP),
    waiting: () => waitingJobs(server),
  }, task);
}
