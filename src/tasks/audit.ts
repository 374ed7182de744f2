/**
 * `deno task audit`: what an auditor may ask of the log. One file in `audit/` for each of its commands.
 *
 * @module
 */
import { Command, CommanderError } from "commander";
import { checkCommand } from "./audit/check.ts";
import { COULD_NOT } from "./audit/exit_codes.ts";
import { historyCommand } from "./audit/history.ts";
import { proveCommand } from "./audit/prove.ts";
import { replayCommand } from "./audit/replay.ts";
import { verifyCommand } from "./audit/verify.ts";

const program = new Command("deno task audit")
  .description("Reads the log beside a running server, or a copy of it, and records nothing.")
  .exitOverride()
  .addCommand(verifyCommand())
  .addCommand(replayCommand())
  .addCommand(historyCommand())
  .addCommand(proveCommand())
  .addCommand(checkCommand());
// Each command has its own way out; a wrong argument is told apart from what a command finds.
for (const command of program.commands) command.exitOverride();

try {
  await program.parseAsync(["deno", "audit", ...Deno.args]);
} catch (error) {
  if (error instanceof CommanderError) Deno.exit(error.exitCode === 0 ? 0 : COULD_NOT);
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(COULD_NOT);
}
