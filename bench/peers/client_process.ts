/**
 * A client in a process of its own.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { feed } from "../process_input.ts";
import { startServer } from "../server_process.ts";
import type { Assignment, Finding } from "./assignment.ts";
import { frontAt, post } from "./posted.ts";

const ENV = { NODE_ENV: "production" };

/**
 * Lets a client do its work, or be posted to, and ends it.
 *
 * @param script Beside this file. What lies in `clients` has packages of its own, which nothing else of Daybook loads.
 * @throws {Error} If it fails.
 */
export function runClient(
  script: string,
  flags: readonly string[],
  assignment: Assignment,
): Promise<Finding> {
  return (assignment.work === "posted" ? postTo : runToItsEnd)(script, flags, assignment);
}

async function postTo(script: string, flags: readonly string[], assignment: Assignment): Promise<Finding> {
  await using front = await startServer(
    `peers/${script}`,
    ["--quiet", ...flags],
    ENV,
    JSON.stringify(assignment),
  );
  return await post(frontAt(front.port), assignment);
}

async function runToItsEnd(
  script: string,
  flags: readonly string[],
  assignment: Assignment,
): Promise<Finding> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...flags, path],
    env: ENV,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  await feed(child, JSON.stringify(assignment));
  const { success, code, stdout } = await child.output();
  if (!success) throw new Error(`The client ${script} ended with code ${code} during ${assignment.work}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
