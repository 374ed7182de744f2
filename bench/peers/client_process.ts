/**
 * A client in a process of its own.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Assignment, Finding } from "./assignment.ts";
import { freePort, LocalServer } from "./local_server.ts";
import { frontAt, post } from "./posted.ts";

const ENV = { NODE_ENV: "production" };

/**
 * Lets a client do its work, or be posted to, and ends it.
 *
 * @param script Beside this file. What lies in `clients` has packages of its own, which nothing else of Daybook loads.
 * @throws {Error} If it fails, or if not all that was asked for is done.
 */
export async function runClient(
  script: string,
  flags: readonly string[],
  task: Omit<Assignment, "port">,
): Promise<Finding> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const args = ["run", "--quiet", "--no-prompt", ...flags, path];
  const assignment = { ...task, port: freePort() };
  const finding = await (task.work === "posted" ? postTo : runToItsEnd)(args, assignment);
  if (finding.done === finding.asked) return finding;
  throw new Error(`${script}, ${task.work}: ${finding.asked} were asked for, ${finding.done} are done`);
}

async function postTo(args: readonly string[], assignment: Assignment): Promise<Finding> {
  await using _server = await LocalServer.start({
    command: Deno.execPath(),
    args,
    env: ENV,
    input: JSON.stringify(assignment),
    endSignal: "SIGKILL",
  });
  return await post(frontAt(assignment.port), assignment);
}

async function runToItsEnd(args: readonly string[], assignment: Assignment): Promise<Finding> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: ENV,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(assignment)));
  await writer.close();
  const { success, code, stdout } = await child.output();
  if (!success) {
    throw new Error(`The client ${args.at(-1)} ended with code ${code} during ${assignment.work}`);
  }
  return JSON.parse(new TextDecoder().decode(stdout));
}
