/**
 * `deno task backup` beside other backups, and after some that were cut off.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { begin, defaultPath, removeLeftovers } from "../../src/tasks/backup/unfinished.ts";
import { seal } from "../audit/support/sealed.ts";
import { audit, throughKv, withFile } from "./support/audit_runs.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

async function backup(args: readonly string[], kv: string) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", "backup", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", DAYBOOK_KV: kv, DAYBOOK_DATA: kv.replace(/\/[^/]*$/, "") },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

const namesIn = (dir: string) => [...Deno.readDirSync(dir)].map(({ name }) => name).sort();

async function withDir(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "daybook_backups_" });
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("what backups left when they were cut off is removed, and nothing that is being made or has another name", async () => {
  await withDir(async (dir) => {
    const [cutOff, beingMade] = [1, 2].map((time) => defaultPath(dir, new Date(time)));
    for (const suffix of ["", "-journal", ".lock"]) {
      await Deno.writeTextFile(`${cutOff}.unfinished${suffix}`, "");
    }
    await Deno.writeTextFile(`${defaultPath(dir, new Date(3))}.unfinished-journal`, "");
    await Deno.writeTextFile(`${dir}/mine.kv.unfinished`, "");
    await Deno.writeTextFile(defaultPath(dir, new Date(4)), "");
    const made = await begin(beingMade!);
    await Deno.writeTextFile(made.path, "");
    const kept = ["mine.kv.unfinished", defaultPath(".", new Date(4)).slice(2)];
    await removeLeftovers(dir);
    const ofMade = [made.path, `${made.path}.lock`].map((path) => path.slice(dir.length + 1));
    assertEquals(namesIn(dir), [...kept, ...ofMade].sort());
    await made.end();
    assertEquals(namesIn(dir), kept.sort());
  });
});

Deno.test("a second backup of the same name is refused as long as the first is made, and then begins with nothing", async () => {
  await withDir(async (dir) => {
    const path = `${dir}/mine.kv`;
    const first = await begin(path);
    await Deno.writeTextFile(`${first.path}-journal`, "");
    await assertRejects(() => begin(path), Error, `Another backup to ${path} is under way`);
    await first.end();
    await Deno.writeTextFile(first.path, "left by one that was killed");
    const second = await begin(path);
    assertEquals(namesIn(dir), ["mine.kv.unfinished.lock"]);
    await second.end();
    assertEquals(namesIn(dir), []);
  });
});

Deno.test("of backups to the same file at once one is made, whole, and the others are told why they are not", async () => {
  await withFile(async (kv) => {
    await throughKv(kv, (store) => seal(store));
    const dir = `${kv}.backups`;
    const runs = await Promise.all(Array.from({ length: 4 }, () => backup(["--out", `${dir}/mine.kv`], kv)));
    assertEquals(runs.map(({ code }) => code).sort(), [0, 2, 2, 2], runs.map(({ err }) => err).join());
    for (const { code, err } of runs) {
      assert(code === 0 || /is under way|is there already/.test(err), err);
    }
    assertEquals(namesIn(dir), ["mine.kv"]);
    assertEquals((await audit(["verify", "--kv", `${dir}/mine.kv`])).code, 0);
  });
});

Deno.test("backups of other names at once do not hinder each other, and what one before them left is gone", async () => {
  await withFile(async (kv) => {
    await throughKv(kv, (store) => seal(store));
    const dir = kv.replace(/\/[^/]*$/, "/backups");
    await Deno.mkdir(dir);
    await Deno.writeTextFile(`${defaultPath(dir, new Date(0))}.unfinished`, "half");
    await Deno.writeTextFile(`${defaultPath(dir, new Date(0))}.unfinished-journal`, "");
    const runs = await Promise.all(Array.from({ length: 3 }, () => backup([], kv)));
    const made = runs.filter(({ code }) => code === 0);
    for (const { code, err } of runs) assert(code === 0 || /is under way|is there already/.test(err), err);
    assert(made.length > 0);
    const names = namesIn(dir);
    assertEquals(names.length, made.length);
    assert(names.every((name) => /^daybook-.*Z\.kv$/.test(name)), names.join());
  });
});
