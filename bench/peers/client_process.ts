/**
 * A client in a process of its own.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Assignment, Finding } from "./assignment.ts";

/**
 * Runs a client to its end.
 *
 * @param script Beside this file. What lies in `clients` has packages of its own, which nothing else of Daybook loads.
 * @throws {Error} If it fails, or if not all that was asked for is done.
 */
export async function runClient(
  script: string,
  flags: readonly string[],
  assignment: Assignment,
): Promise<Finding> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...flags, path],
    env: { NODE_ENV: "production" },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(assignment)));
  await writer.close();
  const { success, code, stdout } = await child.output();
  if (!success) throw new Error(`The client ${script} ended with code ${code} during ${assignment.work}`);
  const finding: Finding = JSON.parse(new TextDecoder().decode(stdout));
  if (finding.done === finding.asked) return finding;
  throw new Error(
    `${script}, ${assignment.work}: ${finding.asked} were asked for, ${finding.done} are done`,
  );
}
