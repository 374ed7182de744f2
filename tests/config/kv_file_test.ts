import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertThrows } from "@std/assert";
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
    createKvFile(path);
    const kv = await Deno.openKv(path);
    await kv.set(["key"], "value");
    kv.close();
    assertEquals(autoVacuum(path), 2);
  }));

Deno.test("createKvFile() leaves a file alone that is there", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/daybook.kv`;
    const kv = await Deno.openKv(path);
    await kv.set(["key"], "value");
    createKvFile(path);
    assertEquals((await kv.get(["key"])).value, "value");
    kv.close();
    assertEquals(autoVacuum(path), 0);
  }));

Deno.test("createKvFile() names the path where it cannot make the file", () =>
  inTempDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/file`, "");
    const error = assertThrows(() => createKvFile(`${dir}/file/daybook.kv`), Error);
    assert(error.message.startsWith(`Cannot create Daybook's file ${dir}/file/daybook.kv: `), error.message);
  }));
