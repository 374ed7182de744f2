import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { AdminTokenError, loadAdminToken } from "../../src/wiring/admin_token.ts";
import { smallDisk } from "../logging/small_disk.ts";
import { withTempDir } from "../support/temp_dir.ts";

Deno.test("loadAdminToken() makes a token at the first start, in a file that only its owner reads", () =>
  withTempDir(async (dir) => {
    const dataDir = join(dir, "not", "there");
    const { token, created, path } = await loadAdminToken({ dataDir });
    assertMatch(token, /^dbk_[A-Za-z0-9_-]{43}$/);
    assertEquals([created, path], [true, join(dataDir, "admin.token")]);
    assertEquals(await Deno.readTextFile(path!), `${token}\n`);
    assertEquals([...Deno.readDirSync(dataDir)].map(({ name }) => name), ["admin.token"]);
    if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path!)).mode! & 0o777, 0o600);
  }));

Deno.test("loadAdminToken() keeps the token for later starts, and makes another for other data", () =>
  withTempDir(async (dir) => {
    const first = await loadAdminToken({ dataDir: join(dir, "a") });
    const later = await loadAdminToken({ dataDir: join(dir, "a") });
    assertEquals(later, { ...first, created: false });
    assertNotEquals((await loadAdminToken({ dataDir: join(dir, "b") })).token, first.token);
  }));

Deno.test("loadAdminToken() takes a token that an operator wrote, without the space around it", () =>
  withTempDir(async (dataDir) => {
    await Deno.writeTextFile(join(dataDir, "admin.token"), "  my-token \r\n");
    assertEquals((await loadAdminToken({ dataDir })).token, "my-token");
  }));

Deno.test("loadAdminToken() takes the environment's token and writes no file", () =>
  withTempDir(async (dataDir) => {
    assertEquals(await loadAdminToken({ dataDir, fromEnvironment: "s3cret!" }), {
      token: "s3cret!",
      created: false,
    });
    assertEquals([...Deno.readDirSync(dataDir)], []);
  }));

Deno.test("loadAdminToken() refuses a token that no header can carry, and shows nothing of it", () =>
  withTempDir(async (dataDir) => {
    for (const fromEnvironment of ["", "two words", "hüter", "a\nb"]) {
      const error = await assertRejects(() => loadAdminToken({ dataDir, fromEnvironment }), AdminTokenError);
      assertMatch(error.message, /^DAYBOOK_TOKEN cannot be used/);
      assert(fromEnvironment === "" || !error.message.includes(fromEnvironment));
    }
    const path = join(dataDir, "admin.token");
    await Deno.writeTextFile(path, "two words\n");
    const error = await assertRejects(() => loadAdminToken({ dataDir }), AdminTokenError);
    assert(error.message.includes(path) && !error.message.includes("two words"));
  }));

Deno.test("loadAdminToken() says which file is empty or cannot be used, and leaves it as it is", () =>
  withTempDir(async (dataDir) => {
    const path = join(dataDir, "admin.token");
    await Deno.writeTextFile(path, " \n");
    const empty = await assertRejects(() => loadAdminToken({ dataDir }), AdminTokenError);
    assertEquals(empty.message, `${path} is empty: remove it, and the next start makes a new admin token`);
    await Deno.remove(path);
    await Deno.mkdir(path);
    const folder = await assertRejects(() => loadAdminToken({ dataDir }), AdminTokenError);
    assertMatch(folder.message, /^Cannot read the admin token from .*admin\.token: .*directory/);

    const blocked = await assertRejects(() => loadAdminToken({ dataDir: "/dev/null/x" }), AdminTokenError);
    assertMatch(blocked.message, /^Cannot (read|write) the admin token .*: Not a directory/);
  }));

Deno.test("loadAdminToken() makes a whole token after a start that was cut off while it made one", () =>
  withTempDir(async (dataDir) => {
    await Deno.writeTextFile(join(dataDir, "admin.token.creating"), "dbk_ha", { mode: 0o644 });
    const { token, path } = await loadAdminToken({ dataDir });
    assertEquals(await Deno.readTextFile(path!), `${token}\n`);
    if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path!)).mode! & 0o777, 0o600);
    assertEquals([...Deno.readDirSync(dataDir)].map(({ name }) => name), ["admin.token"]);
  }));

Deno.test({
  name:
    "loadAdminToken() says that the disk is full, leaves nothing behind, and makes a token when there is room",
  ignore: smallDisk.unavailable,
  async fn() {
    await using disk = await smallDisk.mount(4_096);
    await Deno.writeFile(join(disk.path, "filler"), new Uint8Array(4_096));
    const full = await assertRejects(() => loadAdminToken({ dataDir: disk.path }), AdminTokenError);
    assertMatch(full.message, /^Cannot write the admin token to .*admin\.token: No space left on device/);
    assert(!full.message.includes("dbk_"));
    assertEquals([...Deno.readDirSync(disk.path)].map(({ name }) => name), ["filler"]);
    await disk.grow(65_536);
    assertEquals((await loadAdminToken({ dataDir: disk.path })).created, true);
  },
});
