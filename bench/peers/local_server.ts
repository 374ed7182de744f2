/**
 * A database server on a loopback port for the time of one measurement.
 *
 * @module
 */
import { feed } from "../process_input.ts";

export interface LocalServerOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** What it reads on its standard input: secrets do not belong into arguments, which everybody can list. */
  readonly input?: string;
  /** The signal at which it ends at once, with its children. */
  readonly endSignal: Deno.Signal;
}

/** Redis and PostgreSQL both say so. */
const READY = /ready to accept connections/i;
const START_DEADLINE_MS = 30_000;

export class LocalServer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #endSignal: Deno.Signal;
  readonly #outputs: Promise<unknown>;
  readonly #ready = Promise.withResolvers<boolean>();
  #said = "";

  private constructor({ command, args, cwd, input, endSignal }: LocalServerOptions) {
    this.#process = new Deno.Command(command, {
      args: [...args],
      cwd,
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#endSignal = endSignal;
    this.#outputs = Promise.all([this.#read(this.#process.stdout), this.#read(this.#process.stderr)])
      .finally(() => this.#ready.resolve(false));
  }

  /** @throws {Error} If it does not get ready; tells what it said. */
  static async start(options: LocalServerOptions): Promise<LocalServer> {
    const server = new LocalServer(options);
    if (options.input !== undefined) await feed(server.#process, options.input);
    const late = setTimeout(() => server.#ready.resolve(false), START_DEADLINE_MS);
    const ready = await server.#ready.promise;
    clearTimeout(late);
    if (ready) return server;
    await server[Symbol.asyncDispose]();
    throw new Error(`${options.command} did not get ready. It said:\n${server.#said}`);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      this.#said += decoder.decode(bytes, { stream: true });
      if (READY.test(this.#said)) this.#ready.resolve(true);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill(this.#endSignal);
    } catch {
      // It has ended by itself.
    }
    await this.#process.status;
    await this.#outputs;
  }
}

/** A port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** What a program says to `--version`, or `undefined` where there is none. */
export async function versionOf(command: string): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args: ["--version"] }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
