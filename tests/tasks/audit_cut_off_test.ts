/**
 * Backups, restores, exports and imports that meet a full disk or are killed: nothing half done is left as if it were done.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { seal } from "../audit/support/sealed.ts";
import { audit, throughKv, withFile } from "./support/audit_runs.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const canMount = Deno.build.os === "linux" && Deno.uid() === 0;
const reason = canMount ? "" : " [skipped: mounting a small disk needs root on Linux]";

function spawn(name: string, args: readonly string[], kv: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", name, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", DAYBOOK_KV: kv, DAYBOOK_DATA: kv.replace(/\/[^/]*$/, "") },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(name: string, args: readonly string[], kv: string) {
  const { code, stdout, stderr } = await spawn(name, args, kv).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

async function mounted(dir: string, size: string, test: () => Promise<void>): Promise<void> {
  const call = async (command: string, ...args: string[]) => {
    const { success } = await new Deno.Command(command, { args }).output();
    assert(success, `${command} ${args.join(" ")}`);
  };
  await Deno.mkdir(dir);
  await call("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", dir);
  try {
    await test();
  } finally {
    await call("umount", dir);
  }
}

/** It may have ended a moment ago. */
function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

const namesIn = (dir: string) => [...Deno.readDirSync(dir)].map(({ name }) => name);

Deno.test({
  name:
    `a full disk ends a backup, restore, export and import with exit code 2, one line, and nothing in their place${reason}`,
  ignore: !canMount,
  fn: () =>
    withFile(async (path) => {
      await throughKv(path, (store) => seal(store));
      const [backup, folder, small] = [`${path}.backup`, `${path}.export`, `${path}.small`];
      assertEquals((await run("backup", ["--out", backup], path)).code, 0);
      assertEquals((await audit(["export", folder, "--kv", path])).code, 0);
      await mounted(small, "48k", async () => {
        await Deno.writeFile(`${small}/filler`, new Uint8Array(36 * 1024));
        const attempts: Record<string, () => Promise<{ code: number; err: string; out: string }>> = {
          backup: () => run("backup", ["--out", `${small}/made`], path),
          restore: () => run("restore", [backup, "--kv", `${small}/made`], path),
          export: () => audit(["export", `${small}/made`, "--kv", path]),
          import: () => audit(["import", folder, "--kv", `${small}/made`]),
        };
        for (const [name, attempt] of Object.entries(attempts)) {
          const { code, err } = await attempt();
          assertEquals(code, 2, `${name}: ${err}`);
          assert(/full|space|disk|unable|open|write/i.test(err) && !/\n\s+at /.test(err), `${name}: ${err}`);
          const left = namesIn(small).filter((each) => /^made$|^made\.(?!lock)/.test(each));
          const files = left.includes("made") && name === "export" ? namesIn(`${small}/made`) : left;
          assert(
            !files.includes("manifest.json") && (name === "export" || files.length === 0),
            `${name}: ${files}`,
          );
          if (name === "export") await Deno.remove(`${small}/made`, { recursive: true });
        }
      });
    }),
});

Deno.test("a restore or import that is killed at any moment leaves no log, or a whole one, and can be run again", async () => {
  await withFile(async (path) => {
    await throughKv(path, (store) => seal(store));
    const [backup, folder] = [`${path}.backup`, `${path}.export`];
    assertEquals((await run("backup", ["--out", backup], path)).code, 0);
    assertEquals((await audit(["export", folder, "--kv", path])).code, 0);
    const tasks: [string, (to: string) => string[]][] = [
      ["restore", (to) => [backup, "--kv", to]],
      ["audit", (to) => ["import", folder, "--kv", to]],
    ];
    let killed = 0;
    for (const [name, args] of tasks) {
      for (let delay = 100; delay <= 900; delay += 100) {
        const to = `${path}.${name}-${delay}`;
        // Not through `deno task`, which would be killed in place of what it runs.
        const child = new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", `src/tasks/${name}.ts`, ...args(to)],
          cwd: ROOT,
          env: { DAYBOOK_KV: path },
          stdout: "null",
          stderr: "null",
        }).spawn();
        const timer = setTimeout(() => kill(child), delay);
        const { signal, code } = await child.status;
        clearTimeout(timer);
        if (signal !== null || code !== 0) killed += 1;
        const isThere = namesIn(to.replace(/\/[^/]*$/, "")).includes(to.split("/").at(-1)!);
        if (!isThere) {
          const again = await run(name, args(to), path);
          assertEquals(again.code, 0, again.err + again.out);
        }
        assertEquals((await audit(["verify", "--kv", to])).code, 0);
      }
    }
    assert(killed > 0, "at least one was cut off");
  });
});
