/**
 * `deno task audit`: what an auditor may ask of the log. One file in `audit/` for each of its commands.
 *
 * @module
 */
import { Command } from "commander";
import { checkCommand } from "./audit/check.ts";
import { exportCommand } from "./audit/export.ts";
import { historyCommand } from "./audit/history.ts";
import { importCommand } from "./audit/import.ts";
import { proveCommand } from "./audit/prove.ts";
import { replayCommand } from "./audit/replay.ts";
import { verifyCommand } from "./audit/verify.ts";
import { runCommand } from "./command_line.ts";

const program = new Command("deno task audit")
  .description(
    "Reads the log beside a running server, or a copy of it, and records nothing; import and replay --repair write.",
  )
  .addCommand(verifyCommand())
  .addCommand(replayCommand())
  .addCommand(historyCommand())
  .addCommand(proveCommand())
  .addCommand(checkCommand())
  .addCommand(exportCommand())
  .addCommand(importCommand());

await runCommand(program);
