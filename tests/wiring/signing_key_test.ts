import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { loadSigningKey, SigningKeyError } from "../../src/wiring/signing_key.ts";
import { smallDisk } from "../logging/small_disk.ts";

async function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(join(folder, "keys", "log.ed25519"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const publicOf = (key: KeyObject) => createPublicKey(key).export({ format: "jwk" }).x;

Deno.test("the first start makes a signing key that only its owner can read, the next finds it", () =>
  inFolder(async (path) => {
    const made = await loadSigningKey(path);
    assertEquals(made.asymmetricKeyType, "ed25519");
    if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    assertEquals(publicOf(await loadSigningKey(path)), publicOf(made));
  }));

Deno.test("a key that others may read is refused until it is the owner's alone", () =>
  inFolder(async (path) => {
    await loadSigningKey(path);
    if (Deno.build.os === "windows") return;
    await Deno.chmod(path, 0o644);
    await assertRejects(() => loadSigningKey(path), SigningKeyError, "chmod 600");
    await Deno.chmod(path, 0o600);
    await loadSigningKey(path);
  }));

Deno.test("a file that holds something else is told and left alone, and nothing of it is shown", () =>
  inFolder(async (path) => {
    await loadSigningKey(path);
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
      type: "pkcs8",
      format: "pem",
    }) as string;
    for (const text of ["", "secret", rsa]) {
      await Deno.writeTextFile(path, text);
      const error = await assertRejects(
        () => loadSigningKey(path),
        SigningKeyError,
        "holds no Ed25519 private key",
      );
      assert(!error.message.includes("secret"));
      assertEquals(await Deno.readTextFile(path), text);
    }
  }));

Deno.test("a start that was cut off while it made the key leaves none, and the next makes a whole one", () =>
  inFolder(async (path) => {
    await Deno.mkdir(dirname(path));
    await Deno.writeTextFile(`${path}.creating`, "-----BEGIN PRIV", { mode: 0o644 });
    const made = await loadSigningKey(path);
    assertEquals(publicOf(await loadSigningKey(path)), publicOf(made));
    assertEquals([...Deno.readDirSync(dirname(path))].map(({ name }) => name), [basename(path)]);
  }));

Deno.test({
  name: "a key that finds the disk full says so, leaves nothing behind, and is made when there is room",
  ignore: smallDisk.unavailable,
  async fn() {
    await using disk = await smallDisk.mount(4_096);
    await Deno.writeFile(join(disk.path, "filler"), new Uint8Array(4_096));
    const path = join(disk.path, "log.ed25519");
    const full = await assertRejects(() => loadSigningKey(path), SigningKeyError);
    assertMatch(full.message, /^Cannot write the signing key .*log\.ed25519: No space left on device/);
    assertEquals([...Deno.readDirSync(disk.path)].map(({ name }) => name), ["filler"]);
    await disk.grow(65_536);
    const made = await loadSigningKey(path);
    assertEquals(publicOf(await loadSigningKey(path)), publicOf(made));
  },
});
