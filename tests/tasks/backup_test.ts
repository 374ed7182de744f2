/**
 * `deno task backup` beside other backups, and after some that were cut off.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { begin, removeLeftovers } from "../../src/tasks/backup/unfinished.ts";
import { seal } from "../audit/support/sealed.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { audit, runOn, throughKv, withFile } from "./support/audit_runs.ts";

const namesIn = (dir: string) => [...Deno.readDirSync(dir)].map(({ name }) => name).sort();

Deno.test("what backups left when they were cut off is removed, and nothing that is being made or is somebody else's", async () => {
  await withTempDir(async (dir) => {
    for (const suffix of ["", "-journal", ".lock"]) {
      await Deno.writeTextFile(`${dir}/cut-off.kv.unfinished${suffix}`, "");
    }
    await Deno.writeTextFile(`${dir}/nearly-done.kv.unfinished.lock`, "");
    const kept = ["done.kv", "my-notes.unfinished"];
    for (const name of kept) await Deno.writeTextFile(`${dir}/${name}`, "");
    const made = await begin(`${dir}/being-made.kv`);
    await Deno.writeTextFile(made.path, "");
    await removeLeftovers(dir);
    assertEquals(namesIn(dir), [...kept, "being-made.kv.unfinished", "being-made.kv.unfinished.lock"].sort());
    await made.end();
    assertEquals(namesIn(dir), kept);
  });
});

Deno.test("a backup that begins while another clears away is not hindered", async () => {
  await withTempDir(async (dir) => {
    let isOver = false;
    const clearing = (async () => {
      while (!isOver) await removeLeftovers(dir);
    })();
    for (let n = 0; n < 300; n++) await (await begin(`${dir}/${n}.kv`)).end();
    isOver = true;
    await clearing;
  });
});

Deno.test("a second backup of the same name is refused as long as the first is made, and then begins with nothing", async () => {
  await withTempDir(async (dir) => {
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
    const runs = await Promise.all(
      Array.from({ length: 4 }, () => runOn(kv, "backup", ["--out", `${dir}/mine.kv`])),
    );
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
    await Deno.writeTextFile(`${dir}/cut-off.kv.unfinished`, "half");
    await Deno.writeTextFile(`${dir}/cut-off.kv.unfinished.lock`, "");
    const runs = await Promise.all([1, 2, 3].map((n) => runOn(kv, "backup", ["--out", `${dir}/${n}.kv`])));
    assertEquals(runs.map(({ code, err }) => [code, err]), Array(3).fill([0, ""]));
    assertEquals(namesIn(dir), ["1.kv", "2.kv", "3.kv"]);
    const unnamed = await runOn(kv, "backup", []);
    assertEquals(unnamed.code, 0, unnamed.err);
    assertMatch(namesIn(dir).join(), /,daybook-[^,]*Z\.kv$/);
  });
});
