/**
 * Backups, restores, exports and imports that meet a full disk or are killed: nothing half done is left as if it were done.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { tamper, viewsOf } from "../audit/support/random_log.ts";
import { seal } from "../audit/support/sealed.ts";
import { smallDisk } from "../logging/small_disk.ts";
import { audit, runOn, throughKv, withFile } from "./support/audit_runs.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** It may have ended a moment ago. */
function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

const namesIn = (dir: string) => [...Deno.readDirSync(dir)].map(({ name }) => name);

const isFull = (path: string) => `${path} cannot be written: the disk is full. Make room and try again\n`;

Deno.test({
  name:
    "a full disk ends a backup, restore, export and import with exit code 2, one line that says which file and what to do, and nothing in their place",
  ignore: smallDisk.unavailable,
  fn: () =>
    withFile(async (path) => {
      await throughKv(path, (store) => seal(store));
      const [backup, folder] = [`${path}.backup`, `${path}.export`];
      assertEquals((await runOn(path, "backup", ["--out", backup])).code, 0);
      assertEquals((await audit(["export", folder, "--kv", path])).code, 0);
      await using disk = await smallDisk.mount(48 * 1024);
      await Deno.writeFile(`${disk.path}/filler`, new Uint8Array(36 * 1024));
      const made = `${disk.path}/made`;
      const attempts: Record<string, () => Promise<{ code: number; err: string; out: string }>> = {
        backup: () => runOn(path, "backup", ["--out", made]),
        restore: () => runOn(path, "restore", [backup, "--kv", made]),
        export: () => audit(["export", made, "--kv", path]),
        import: () => audit(["import", folder, "--kv", made]),
      };
      for (const [name, attempt] of Object.entries(attempts)) {
        const { code, err, out } = await attempt();
        assertEquals({ name, code, err, out }, { name, code: 2, err: isFull(made), out: "" });
        const left = namesIn(disk.path).filter((each) => /^made$|^made\.(?!lock)/.test(each));
        const files = name === "export" ? namesIn(made).filter((each) => each === "manifest.json") : left;
        assertEquals(files, [], name);
        if (name === "export") await Deno.remove(made, { recursive: true });
      }
    }),
});

Deno.test({
  name: "a full disk ends a repair with exit code 2 and one line, and the next one with room ends it",
  ignore: smallDisk.unavailable,
  fn: () =>
    withFile(async (path) => {
      const views = await throughKv(path, viewsOf);
      await throughKv(
        path,
        (store) => tamper(store, views.map(({ key }) => ({ key, value: new Uint8Array([0x7b]) }))),
      );
      await using disk = await smallDisk.mount(1_000_000);
      const kv = `${disk.path}/daybook.kv`;
      await Deno.copyFile(path, kv);
      const { size } = await Deno.stat(kv);
      await Deno.writeFile(`${disk.path}/filler`, new Uint8Array(1_000_000 - size - 44 * 1024));
      const { code, err } = await audit(["replay", "--kv", kv, "--repair"]);
      assertEquals({ code, err }, { code: 2, err: isFull(kv) });
      await Deno.remove(`${disk.path}/filler`);
      assertEquals((await audit(["replay", "--kv", kv, "--repair"])).code, 0);
      assertEquals(await throughKv(kv, viewsOf), views);
    }),
});

Deno.test({
  name: "a log that cannot be read for a full disk, with no server beside it, is told as what it may be",
  ignore: smallDisk.unavailable,
  fn: () =>
    withFile(async (path) => {
      await using disk = await smallDisk.mount((await Deno.stat(path)).size);
      const kv = `${disk.path}/daybook.kv`;
      await Deno.copyFile(path, kv);
      const { code, err } = await audit(["verify", "--kv", kv]);
      assertEquals(code, 2);
      assert(err.startsWith(`Cannot read ${kv}: disk I/O error. SQLite says so also of a full disk`), err);
    }),
});

Deno.test("a restore or import that is killed at any moment leaves no log, or a whole one, and can be run again", async () => {
  await withFile(async (path) => {
    await throughKv(path, (store) => seal(store));
    const [backup, folder] = [`${path}.backup`, `${path}.export`];
    assertEquals((await runOn(path, "backup", ["--out", backup])).code, 0);
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
          const again = await runOn(path, name, args(to));
          assertEquals(again.code, 0, again.err + again.out);
        }
        assertEquals((await audit(["verify", "--kv", to])).code, 0);
      }
    }
    assert(killed > 0, "at least one was cut off");
  });
});
