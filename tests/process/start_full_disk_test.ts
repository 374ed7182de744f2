import { statfsSync } from "node:fs";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { smallDisk } from "../logging/small_disk.ts";
import { ServerProcess } from "../support/server_process.ts";

const DISK_BYTES = 12_000_000;
const ignore = smallDisk.unavailable;
const env = { DAYBOOK_TOKEN: "" };

async function startAndStop(dataDir: string): Promise<void> {
  await using server = await ServerProcess.start({ dataDir, env });
  assertEquals((await server.end("SIGTERM")).code, 0);
}

async function assertFailsWithOneLine(dataDir: string, expected: RegExp): Promise<void> {
  const error: Error = await ServerProcess.start({ dataDir, env }).then(
    (server) => server.end("SIGKILL").then(() => new Error("it started")),
    (error) => error,
  );
  assertMatch(error.message, expected);
  assert(!error.message.includes("    at "), error.message);
}

/** @returns A function that makes room again. */
async function fillUpTo(dataDir: string, freeKiB: number): Promise<() => Promise<void>> {
  const { bavail, bsize } = statfsSync(dataDir);
  await Deno.writeFile(`${dataDir}/filler`, new Uint8Array(bavail * bsize - freeKiB * 1024));
  return () => Deno.remove(`${dataDir}/filler`);
}

// In KiB: no room for the lock's holder, the log's file, the token, its first commits, the settings on record.
for (const free of [0, 4, 12, 40, 100, 160, 184]) {
  Deno.test({
    name: `a first start with ${free} KiB left says in one line what is full, and one with room goes well`,
    ignore,
    async fn() {
      await using disk = await smallDisk.mount(DISK_BYTES);
      const makeRoom = await fillUpTo(disk.path, free);
      await assertFailsWithOneLine(
        disk.path,
        /^Daybook cannot start: .*(the disk is full|No space left on device)/m,
      );
      await makeRoom();
      await startAndStop(disk.path);
    },
  });
}

// In KiB: no room for the lock's holder, what SQLite keeps beside the log, the cache, the first commit.
for (const free of [0, 4, 40, 68]) {
  Deno.test({
    name: `a start of an existing log with ${free} KiB left says in one line what is full and what to do`,
    ignore,
    async fn() {
      await using disk = await smallDisk.mount(DISK_BYTES);
      await startAndStop(disk.path);
      const makeRoom = await fillUpTo(disk.path, free);
      await assertFailsWithOneLine(
        disk.path,
        /^Daybook cannot start: .*(daybook|cache)\.kv cannot be (written: the|used: its) disk is full.* try again$/m,
      );
      await makeRoom();
      await startAndStop(disk.path);
    },
  });
}

Deno.test({
  name: "a start on a read-only disk says in one line what to do",
  ignore,
  async fn() {
    await using disk = await smallDisk.mount(DISK_BYTES);
    await startAndStop(disk.path);
    await new Deno.Command("mount", { args: ["-o", "remount,ro", disk.path] }).output();
    await assertFailsWithOneLine(
      disk.path,
      /^Daybook cannot start: .*daybook\.kv cannot be written: it is read-only .* try again$/m,
    );
  },
});
