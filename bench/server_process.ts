/**
 * A server in a process of its own, and how much memory that has.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Memory } from "./measurement.ts";
import { feed } from "./process_input.ts";

export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  /** Milliseconds from its start until it printed its address. */
  readonly readyMs: number;
  /** Milliseconds from its start until it printed what matches, which may be to come. */
  said(pattern: RegExp): Promise<number>;
  /** `null` where the system does not tell. */
  memory(): Promise<Memory | null>;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
}

const READY = /http:\/\/127\.0\.0\.1:(\d+)/;
const START_DEADLINE_MS = 30_000;
const DAYBOOK_FLAGS = [
  "--v8-flags=--max-semi-space-size=16",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys=hostname",
];

/**
 * Runs a Deno program that serves on a loopback port, until it is disposed of.
 *
 * @param script Beside this file, or a path relative to it.
 * @param env What the program finds in its environment beyond this process's own.
 * @param input What it reads on its standard input. Default: what this process does.
 * @throws {Error} If it ends, or half a minute goes by, before it prints its address.
 */
export async function startServer(
  script: string,
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<ServerProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...flags, fileURLToPath(new URL(script, import.meta.url))],
    env: { ...ownEnvironment(), ...env },
    clearEnv: true,
    stdin: input === undefined ? "inherit" : "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  if (input !== undefined) await feed(child, input);
  const output = new Output(child.stdout);
  const late = setTimeout(() => child.kill("SIGKILL"), START_DEADLINE_MS);
  const ready = await output.said(READY).catch(() => undefined);
  clearTimeout(late);
  if (!ready) {
    const { code } = await child.status;
    throw new Error(`The server ${script} ended with code ${code} before it was ready`);
  }
  let ended = false;
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    if (!ended) child.kill(signal);
    ended = true;
    await Promise.all([child.status, output.end]);
  };
  return {
    port: Number(ready.found[1]),
    readyMs: ready.ms,
    said: async (pattern) => (await output.said(pattern)).ms,
    memory: () => memoryOf(child.pid),
    kill: () => end("SIGKILL"),
    [Symbol.asyncDispose]: () => end("SIGTERM"),
  };
}

/** Daybook as `deno task start` runs it, until it is disposed of. */
export function startDaybook(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  return startServer("../main.ts", DAYBOOK_FLAGS, env);
}

/** What a process prints, each line with the time since the process was started. */
class Output {
  readonly #began = performance.now();
  readonly #lines: { readonly text: string; readonly ms: number }[] = [];
  #wake = Promise.withResolvers<void>();
  #over = false;
  /** Resolves when there is no more. */
  readonly end: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.end = this.#read(stream);
  }

  /** @throws {Error} If the process ends without having printed what matches. */
  async said(pattern: RegExp): Promise<{ found: RegExpExecArray; ms: number }> {
    for (let at = 0;;) {
      for (; at < this.#lines.length; at++) {
        const { text, ms } = this.#lines[at]!;
        const found = pattern.exec(text);
        if (found) return { found, ms };
      }
      if (this.#over) throw new Error(`The process ended before it printed ${pattern}`);
      await this.#wake.promise;
    }
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
      this.#lines.push({ text, ms: performance.now() - this.#began });
      this.#tell();
    }
    this.#over = true;
    this.#tell();
  }

  #tell(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

/** Cuts text into lines. */
class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let rest = "";
    super({
      transform: (text, controller) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        for (const line of lines) controller.enqueue(line);
      },
    });
  }
}

/** Settings of Daybook's would change what is measured; `LD_…` may be given on only with every permission. */
function ownEnvironment(): Record<string, string> {
  const kept = Object.entries(Deno.env.toObject()).filter(([name]) => !/^(?:DAYBOOK_|LD_)/.test(name));
  return Object.fromEntries(kept);
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
