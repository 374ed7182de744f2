/**
 * A server in a process of its own, and how much memory that has.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Memory } from "./measurement.ts";

export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  /** `null` where the system does not tell. */
  memory(): Promise<Memory | null>;
}

const READY = /http:\/\/127\.0\.0\.1:(\d+)/;
const START_DEADLINE_MS = 30_000;

/**
 * Runs a Deno program until it is disposed of.
 *
 * @param script Beside this file, or a path relative to it.
 * @param env What the program finds in its environment beyond this process's own.
 * @throws {Error} If it ends, or half a minute goes by, before it prints its address.
 */
export async function startServer(
  script: string,
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...flags, fileURLToPath(new URL(script, import.meta.url))],
    env: { ...ownEnvironment(), ...env },
    clearEnv: true,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  const late = setTimeout(() => child.kill("SIGKILL"), START_DEADLINE_MS);
  const port = await readPort(lines);
  clearTimeout(late);
  const drained = drain(lines);
  const end = async () => {
    child.kill("SIGTERM");
    await Promise.all([child.status, drained]);
  };
  if (port === undefined) {
    const { code } = await child.status;
    throw new Error(`The server ${script} ended with code ${code} before it was ready`);
  }
  return { port, memory: () => memoryOf(child.pid), [Symbol.asyncDispose]: end };
}

/** Settings of Daybook's would change what is measured; `LD_…` may be given on only with every permission. */
function ownEnvironment(): Record<string, string> {
  const kept = Object.entries(Deno.env.toObject()).filter(([name]) => !/^(?:DAYBOOK_|LD_)/.test(name));
  return Object.fromEntries(kept);
}

async function readPort(chunks: AsyncIterator<string>): Promise<number | undefined> {
  let text = "";
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    text += next.value;
    const port = READY.exec(text.slice(0, text.lastIndexOf("\n") + 1))?.[1];
    if (port !== undefined) return Number(port);
  }
  return undefined;
}

async function drain(chunks: AsyncIterator<string>): Promise<void> {
  while (!(await chunks.next()).done);
}

/** `/proc` is read by a process that holds every permission: Deno gives it to no other. */
async function memoryOf(pid: number): Promise<Memory | null> {
  if (Deno.build.os !== "linux") return null;
  const code = `Deno.stdout.writeSync(Deno.readFileSync("/proc/${pid}/status"))`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    env: ownEnvironment(),
    clearEnv: true,
  })
    .output();
  const status = new TextDecoder().decode(stdout);
  const mb = (name: string) => {
    const kib = new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1];
    return kib === undefined ? null : Number(kib) * 1024 / 1e6;
  };
  const now = mb("VmRSS");
  return now === null ? null : { now, peak: mb("VmHWM") };
}
