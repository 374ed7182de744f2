/**
 * A server started as a user starts it, in a process of its own.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const TOKEN = "a-token-for-the-tests";
const START_LIMIT_MS = 60_000;

export interface ServerOptions {
  readonly dataDir: string;
  readonly env?: Record<string, string>;
}

export class ServerProcess implements AsyncDisposable {
  #output = "";
  readonly #readers: Promise<void>[];

  private constructor(readonly process: Deno.ChildProcess) {
    this.#readers = [process.stdout, process.stderr].map((stream) => this.#read(stream));
  }

  /** Address without a path, known as soon as the server listens. */
  url = "";

  /** With the permissions of `deno task start`. */
  static async start({ dataDir, env = {} }: ServerOptions): Promise<ServerProcess> {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--allow-net",
        "--allow-read",
        "--allow-write",
        "--allow-env",
        "--allow-sys=hostname",
        "main.ts",
      ],
      cwd: ROOT,
      env: { DAYBOOK_DATA: dataDir, DAYBOOK_PORT: "0", DAYBOOK_TOKEN: TOKEN, ...env },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const server = new ServerProcess(process);
    const [, url] = await server.waitForLine(/listens on (http:\S+)/);
    server.url = url!;
    return server;
  }

  get output(): string {
    return this.#output;
  }

  /** A call below `/api/system` with the admin token. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("Authorization", `Bearer ${TOKEN}`);
    if (init.body) headers.set("Content-Type", "application/json");
    return fetch(`${this.url}/api/system${path}`, { ...init, headers });
  }

  /** The same with another token. */
  fetchAs(token: string, path: string): Promise<Response> {
    return fetch(`${this.url}/api/system${path}`, { headers: { Authorization: `Bearer ${token}` } });
  }

  async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await this.fetch(path, init);
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return await response.json();
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.json(path, { method: "POST", body: JSON.stringify(body) });
  }

  /** Fails when the process ends or a minute goes by without such a line. */
  async waitForLine(pattern: RegExp): Promise<RegExpExecArray> {
    const limit = performance.now() + START_LIMIT_MS;
    for (;;) {
      const found = pattern.exec(this.#output);
      if (found) return found;
      if (performance.now() > limit) throw new Error(`no line matches ${pattern} in:\n${this.#output}`);
      const ended = await this.#endsWithin(20);
      if (ended && !pattern.test(this.#output)) {
        throw new Error(`the server ended without a line that matches ${pattern}:\n${this.#output}`);
      }
    }
  }

  /** Sends the signal and waits for the end. */
  async end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    try {
      this.process.kill(signal);
    } catch {
      // It has ended by itself.
    }
    const status = await this.process.status;
    await Promise.all(this.#readers);
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }

  async #endsWithin(ms: number): Promise<boolean> {
    const pause = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => pause.resolve(false), ms);
    const ended = Promise.all([this.process.status, ...this.#readers]).then(() => true);
    return await Promise.race([ended, pause.promise]).finally(() => clearTimeout(timer));
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.#output += text;
  }
}
