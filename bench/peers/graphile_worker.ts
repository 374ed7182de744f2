/**
 * Graphile Worker, on a PostgreSQL that is made and started for each measurement.
 *
 * @module
 */
import { join } from "node:path";
import clients from "./clients/deno.json" with { type: "json" };
import type { Finding } from "./assignment.ts";
import { runClient } from "./client_process.ts";
import type { Candidate, Task } from "./contender.ts";
import { freePort, LocalServer, versionOf } from "./local_server.ts";

/** Debian's folder, whose programs are not on the PATH, then the PATH. */
const FOLDERS = ["/usr/lib/postgresql/15/bin/", ""];
const VERSION = clients.imports["graphile-worker"].split("@").at(-1);
const AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];

export const graphileWorker: Candidate = {
  name: "graphile_worker",
  find: async () => {
    const found = await findPrograms();
    if (!found) return { missing: "there is no PostgreSQL 15 in /usr/lib/postgresql/15/bin or on the PATH" };
    if (Deno.uid() === 0 && !await canBecomePostgres()) {
      return { missing: "PostgreSQL does not run as root, and root cannot become the user postgres here" };
    }
    return {
      title: `Graphile Worker ${VERSION} on PostgreSQL ${found.version}`,
      durability:
        "PostgreSQL's defaults, fsync and synchronous_commit on: each commit fsynced; done jobs are deleted",
      measure: (task, folder) => measure(task, folder, found.programs),
    };
  },
};

async function findPrograms(): Promise<{ programs: string; version: string } | undefined> {
  for (const programs of FOLDERS) {
    const said = await versionOf(`${programs}postgres`);
    const version = /\(PostgreSQL\) (15[\d.]*)/.exec(said ?? "")?.[1];
    if (version && await versionOf(`${programs}initdb`)) return { programs, version };
  }
  return undefined;
}

async function canBecomePostgres(): Promise<boolean> {
  try {
    const [command, ...args] = [...AS_POSTGRES, "true"];
    return (await new Deno.Command(command!, { args }).output()).success;
  } catch {
    return false;
  }
}

async function measure(task: Task, folder: string, programs: string): Promise<Finding> {
  const data = join(folder, "data");
  const password = crypto.randomUUID();
  await Deno.writeTextFile(join(folder, "password"), password);
  if (Deno.uid() === 0) await succeed("chown", ["-R", "postgres:", folder], folder);
  await succeed(
    ...unprivileged(`${programs}initdb`, [
      ...["--pgdata", data, "--username", "bench", "--pwfile", join(folder, "password")],
      ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"],
    ]),
    folder,
  );

  const port = freePort();
  const [command, args] = unprivileged(`${programs}postgres`, [
    ...["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder],
  ]);
  // SIGQUIT is PostgreSQL's immediate shutdown, which ends its children too.
  await using _server = await LocalServer.start({ command, args, cwd: folder, endSignal: "SIGQUIT" });
  return await runClient(
    "clients/graphile_worker.ts",
    ["--allow-net=127.0.0.1", "--allow-env", "--allow-read", "--allow-sys=homedir"],
    { ...task, address: `postgres://bench:${password}@127.0.0.1:${port}/postgres` },
  );
}

/** The command as the user `postgres` where this process is root's. */
function unprivileged(program: string, args: readonly string[]): [string, string[]] {
  if (Deno.uid() !== 0) return [program, [...args]];
  const [command, ...options] = AS_POSTGRES;
  return [command!, [...options, program, ...args]];
}

async function succeed(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args: [...args], cwd }).output();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr)}`);
}
