/**
 * Daybook, which needs no server.
 *
 * @module
 */
import project from "../../deno.json" with { type: "json" };
import { runClient } from "./client_process.ts";
import type { Contender } from "./contender.ts";

export const daybook: Contender = {
  title: `Daybook ${project.version}`,
  durability: "each commit fsynced; the whole history is kept",
  measure: (task, folder) =>
    runClient(
      "daybook_client.ts",
      ["--allow-read", `--allow-write=${folder}`, "--allow-env", "--allow-sys=hostname"],
      { ...task, address: folder },
    ),
};
