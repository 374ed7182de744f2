import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createKvFile } from "../../src/config/kv_file.ts";
import { withTempDir } from "../support/temp_dir.ts";

type Step = string | ((path: string) => Promise<void>);

const OPENED: Step = async (path) => (await Deno.openKv(path)).close();
const INDEXED = "DROP INDEX kv_expiration_ms_idx; " +
  "CREATE INDEX kv_expiration_ms_idx ON kv (expiration_ms) WHERE expiration_ms >= 0";
const STEPS: readonly Step[] = [
  "PRAGMA auto_vacuum = INCREMENTAL",
  "PRAGMA journal_mode = WAL",
  OPENED,
  INDEXED,
  "PRAGMA journal_mode = DELETE",
];

/** With nothing beside it, and served by Deno KV. */
async function assertWhole(path: string): Promise<void> {
  const names = [...Deno.readDirSync(dirname(path))].map(({ name }) => name);
  assertEquals(names.filter((name) => name.startsWith(basename(path))), [basename(path)]);
  const kv = await Deno.openKv(path);
  await kv.set(["key"], "value");
  kv.close();
  assertEquals(autoVacuum(path), 2);
  assertMatch(expiryIndex(path), /WHERE expiration_ms >= 0$/);
}

/** What a start that ends in between leaves in the folder, under the name `to`. */
async function cutOffAfter(steps: readonly Step[], dir: string, to: string): Promise<void> {
  const path = `${dir}/cut_off`;
  using database = new DatabaseSync(path);
  for (const step of steps) {
    if (typeof step === "string") database.exec(step);
    else await step(path);
  }
  for (const suffix of ["", "-wal", "-shm", "-journal"]) {
    if (existsSync(path + suffix)) Deno.copyFileSync(path + suffix, `${dir}/${to}${suffix}`);
  }
}

function autoVacuum(path: string): unknown {
  using database = new DatabaseSync(path);
  return database.prepare("PRAGMA auto_vacuum").get()?.["auto_vacuum"];
}

function expiryIndex(path: string): string {
  using database = new DatabaseSync(path);
  const index = database.prepare("SELECT sql FROM sqlite_master WHERE name = 'kv_expiration_ms_idx'").get();
  return String(index?.["sql"]);
}

Deno.test("createKvFile() makes a file, and its folder, that can shrink while Deno KV has it open", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/new/daybook.kv`;
    await createKvFile(path);
    const kv = await Deno.openKv(path);
    await kv.set(["key"], "value");
    kv.close();
    assertEquals(autoVacuum(path), 2);
  }));

Deno.test("createKvFile() makes a file whose index of expiries holds only what expires, and serves Deno KV's questions", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/daybook.kv`;
    await createKvFile(path);
    const kv = await Deno.openKv(path);
    for (let i = 0; i < 5; i++) await kv.set(["kept", i], "value");
    await kv.set(["expires"], "value", { expireIn: 3_600_000 });
    kv.close();
    using database = new DatabaseSync(path);
    const plan = (sql: string) => String(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).get()?.["detail"]);
    const byIndex = /USING (COVERING )?INDEX kv_expiration_ms_idx/;
    assertMatch(
      plan("SELECT expiration_ms FROM kv WHERE expiration_ms >= 0 ORDER BY expiration_ms LIMIT 1"),
      byIndex,
    );
    assertMatch(plan("DELETE FROM kv WHERE expiration_ms >= 0 AND expiration_ms <= 1"), byIndex);
    database.exec("ANALYZE");
    const stats = database.prepare("SELECT stat FROM sqlite_stat1 WHERE idx = 'kv_expiration_ms_idx'").get();
    assertEquals(stats?.["stat"], "1 1");
  }));

Deno.test("createKvFile() leaves a file alone that is there", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/daybook.kv`;
    const kv = await Deno.openKv(path);
    assertEquals(await createKvFile(path), false);
    await kv.set(["key"], "value");
    assertEquals(await createKvFile(path), false);
    assertEquals((await kv.get(["key"])).value, "value");
    kv.close();
    assertEquals(autoVacuum(path), 0);
  }));

Deno.test("createKvFile() names the path where it cannot make the file", () =>
  withTempDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/file`, "");
    const error = await assertRejects(() => createKvFile(`${dir}/file/daybook.kv`), Error);
    assert(error.message.startsWith(`Cannot create Daybook's file ${dir}/file/daybook.kv: `), error.message);
  }));

for (let done = 0; done <= STEPS.length; done++) {
  Deno.test(`createKvFile() makes a whole file after one that was cut off with ${done} steps done`, () =>
    withTempDir(async (dir) => {
      const path = `${dir}/daybook.kv`;
      await cutOffAfter(STEPS.slice(0, done), dir, "daybook.kv.creating");
      assertEquals(await createKvFile(path), true);
      await assertWhole(path);
    }));
}

for (let done = 0; done <= STEPS.indexOf(OPENED); done++) {
  Deno.test(`createKvFile() makes a whole file in the place of one without a table, with ${done} steps done`, () =>
    withTempDir(async (dir) => {
      const path = `${dir}/daybook.kv`;
      await cutOffAfter(STEPS.slice(0, done), dir, "daybook.kv");
      assertEquals(await createKvFile(path), true);
      await assertWhole(path);
    }));
}

Deno.test("createKvFile() makes what a link leads to, and the link stays", () =>
  withTempDir(async (dir) => {
    await Deno.mkdir(`${dir}/real`);
    await Deno.symlink("real/log.kv", `${dir}/daybook.kv`);
    assertEquals(await createKvFile(`${dir}/daybook.kv`), true);
    assert((await Deno.lstat(`${dir}/daybook.kv`)).isSymlink);
    await assertWhole(`${dir}/real/log.kv`);
    assertEquals(await createKvFile(`${dir}/daybook.kv`), false);
  }));

Deno.test("createKvFile() makes no file that fails midway", () =>
  withTempDir(async (dir) => {
    await Deno.mkdir(`${dir}/daybook.kv.creating/in/the/way`, { recursive: true });
    await assertRejects(() => createKvFile(`${dir}/daybook.kv`), Error, "Cannot create Daybook's file");
    assert(!existsSync(`${dir}/daybook.kv`));
  }));

Deno.test("createKvFile() makes no new file beside events of one that was moved away", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/daybook.kv`;
    await cutOffAfter(["PRAGMA journal_mode = WAL", OPENED, INDEXED], dir, "daybook.kv");
    await Deno.rename(path, `${dir}/moved`);
    await assertRejects(() => createKvFile(path), Error, `${path}-wal is there without its file`);
    await Deno.rename(`${dir}/moved`, path);
    assertEquals(await createKvFile(path), false);
    await Deno.remove(path);
    await Deno.truncate(`${path}-wal`);
    assertEquals(await createKvFile(path), true);
    await assertWhole(path);
  }));
