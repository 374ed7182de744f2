/**
 * A real KV Connect server, in a process of its own, on a file of its own.
 *
 * @module
 */

const token = "a-token-of-the-tests";

class DenoKvServer implements AsyncDisposable {
  private constructor(readonly url: string, readonly process: Deno.ChildProcess) {}

  static async start(path: string): Promise<DenoKvServer> {
    const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = free.addr;
    free.close();
    const process = new Deno.Command("denokv", {
      args: ["--sqlite-path", path, "serve", "--addr", `127.0.0.1:${port}`, "--access-token", token],
      stdout: "null",
      stderr: "null",
    }).spawn();
    for (let tries = 0; tries < 200; tries++) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return new DenoKvServer(`http://127.0.0.1:${port}`, process);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    process.kill();
    throw new Error("denokv does not listen");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill();
    await this.process.status;
  }
}

async function isThere(command: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, { args: ["--help"], stdout: "null", stderr: "null" })
      .output();
    return success;
  } catch {
    return false;
  }
}

const unavailable = !await isThere("denokv");

/** `unavailable` where there is no `denokv` on the PATH; such a test's title says so. */
export const denokv = {
  start: (path: string) => DenoKvServer.start(path),
  token,
  unavailable,
  titleOf: (title: string) => unavailable ? `${title} [skipped: there is no denokv on the PATH]` : title,
};
