/**
 * How a task with its own commands ends: by the exit codes of `audit/exit_codes.ts`.
 *
 * @module
 */
import { type Command, CommanderError } from "commander";
import { COULD_NOT } from "./audit/exit_codes.ts";

/** Runs what the arguments ask for; a wrong argument is told apart from what a command finds. */
export async function runCommand(program: Command): Promise<void> {
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync(["deno", program.name(), ...Deno.args]);
  } catch (error) {
    if (error instanceof CommanderError) Deno.exit(error.exitCode === 0 ? 0 : COULD_NOT);
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(COULD_NOT);
  }
}
