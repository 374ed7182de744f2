import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createKvFile } from "../../src/config/kv_file.ts";

async function inTempDir(test: (dir: string) => Promise<void> | void): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function autoVacuum(path: string): unknown {
  using database = new DatabaseSync(path);
  return database.prepare("PRAGMA auto_vacuum").get()?.["auto_vacuum"];
}

Deno.test("createKvFile() makes a file, and its folder, that can shrink while Deno KV has it open", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/new/daybook.kv`;
    await createKvFile(path);
    const kv = await Deno.openKv(path);
    await kv.set(["key"], "value");
    kv.close();
    assertEquals(autoVacuum(path), 2);
  }));

Deno.test("createKvFile() makes a file whose index of expiries holds only what expires, and serves Deno KV's questions", () =>
  inTempDir(async (dir) => {
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
  inTempDir(async (dir) => {
    const path = `${dir}/daybook.kv`;
    const kv = await Deno.openKv(path);
    await kv.set(["key"], "value");
    await createKvFile(path);
    assertEquals((await kv.get(["key"])).value, "value");
    kv.close();
    assertEquals(autoVacuum(path), 0);
  }));

Deno.test("createKvFile() names the path where it cannot make the file", () =>
  inTempDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/file`, "");
    const error = await assertRejects(() => createKvFile(`${dir}/file/daybook.kv`), Error);
    assert(error.message.startsWith(`Cannot create Daybook's file ${dir}/file/daybook.kv: `), error.message);
  }));
