/**
 * A real PostgreSQL server of Debian's packages, in a folder that is gone afterwards.
 *
 * @module
 */

const BINARIES = "/usr/lib/postgresql/15/bin";
const START_DEADLINE_MS = 30_000;
const PASSWORD = "s3cret-pass";

/** Why there can be no server here, or `undefined`. */
export async function whyNoPostgres(): Promise<string | undefined> {
  if (!await exists(`${BINARIES}/initdb`)) return `there is no PostgreSQL 15 in ${BINARIES}`;
  if (Deno.uid() !== 0) return undefined;
  try {
    const { success } = await new Deno.Command("setpriv", { args: [...AS_POSTGRES, "true"] }).output();
    return success ? undefined : "root cannot become the user postgres, and PostgreSQL does not run as root";
  } catch {
    return "root needs setpriv to run PostgreSQL, which does not run as root";
  }
}

const AS_POSTGRES = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

/** A command that runs as the user `postgres` where the tests run as root. */
function command(name: string, args: string[], dir: string): Deno.Command {
  const program = `${BINARIES}/${name}`;
  const options = { cwd: dir, stdin: "null", stdout: "null", stderr: "piped" } as const;
  return Deno.uid() === 0
    ? new Deno.Command("setpriv", { args: [...AS_POSTGRES, program, ...args], ...options })
    : new Deno.Command(program, { args, ...options });
}

/** Listens on a free loopback port; `shop` is an empty database, `postgres` its superuser. */
export class PostgresServer implements AsyncDisposable {
  private constructor(
    private readonly dir: string,
    private readonly port: number,
    private readonly process: Deno.ChildProcess,
    private readonly errors: Promise<string>,
  ) {}

  static async start(): Promise<PostgresServer> {
    const dir = await Deno.makeTempDir({ prefix: "daybook_postgres_" });
    if (Deno.uid() === 0) await new Deno.Command("chown", { args: ["postgres:", dir] }).output();
    await Deno.writeTextFile(`${dir}/password`, PASSWORD);
    const made = await command("initdb", [
      ...["--pgdata", `${dir}/data`, "--username", "postgres", "--pwfile", `${dir}/password`],
      ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"],
    ], dir).output();
    if (!made.success) throw new Error(`initdb failed: ${new TextDecoder().decode(made.stderr)}`);

    const port = freePort();
    const process = command("postgres", [
      ...["-D", `${dir}/data`, "-p", String(port), "-h", "127.0.0.1", "-k", dir],
      ...["-c", "fsync=off", "-c", "shared_buffers=16MB"],
    ], dir).spawn();
    const server = new PostgresServer(dir, port, process, new Response(process.stderr).text());
    try {
      await server.#ready();
      const { default: postgres } = await import("postgres");
      const sql = postgres(server.url(undefined, "postgres"), { max: 1 });
      await sql`CREATE DATABASE shop`;
      await sql.end();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** An address; `user` is `name:password`. */
  url(user = `postgres:${PASSWORD}`, database = "shop"): string {
    return `postgres://${user}@127.0.0.1:${this.port}/${database}`;
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + START_DEADLINE_MS;
    const args = ["--host", "127.0.0.1", "--port", String(this.port), "--quiet"];
    while (!(await command("pg_isready", args, this.dir).output()).success) {
      if (performance.now() > deadline) throw new Error(`PostgreSQL did not start: ${await this.#kill()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #kill(): Promise<string> {
    // SIGQUIT is PostgreSQL's immediate shutdown, which ends its children too.
    this.process.kill("SIGQUIT");
    await this.process.status;
    return await this.errors;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill();
    await Deno.remove(this.dir, { recursive: true });
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
