import { assert, assertEquals, assertRejects } from "@std/assert";
import { getLogger } from "@std/log";
import { type LoggingOptions, setupLogging } from "../../src/logging/setup.ts";
import { smallDisk } from "./small_disk.ts";

type Handle = ReturnType<typeof setupLogging>;

const now = () => new Date("2026-01-07T10:15:32.123Z");

async function withLogging(
  options: Partial<LoggingOptions>,
  test: (handle: Handle, dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const handle = setupLogging({ level: "INFO", format: "text", dir, console: false, now, ...options });
  try {
    await test(handle, options.dir ?? dir);
  } finally {
    await handle.close();
    await Deno.remove(dir, { recursive: true });
  }
}

async function lines(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(path);
  assert(text === "" || text.endsWith("\n"));
  return text.split("\n").slice(0, -1);
}

Deno.test("setupLogging() writes the contract's text line to <dir>/daybook.log", async () => {
  await withLogging({}, async (handle, dir) => {
    getLogger("background_worker").info("🚀 Background Worker Starting (concurrency 10, pid 1)");
    getLogger("api").warn("slow");
    await handle.flush();
    assertEquals(handle.file.path, `${dir}/daybook.log`);
    assertEquals(await lines(handle.file.path), [
      "2026-01-07 10:15:32 - background_worker - INFO - 🚀 Background Worker Starting (concurrency 10, pid 1)",
      "2026-01-07 10:15:32 - api - WARNING - slow",
    ]);
  });
});

Deno.test("setupLogging() with json writes one object a line, with the fields", async () => {
  await withLogging({ format: "json" }, async (handle) => {
    getLogger("background_worker").warn("careful", { job_id: "7", attempt: 2 });
    await handle.flush();
    assertEquals((await lines(handle.file.path)).map((line) => JSON.parse(line)), [{
      time: "2026-01-07T10:15:32.123Z",
      logger: "background_worker",
      level: "WARNING",
      message: "careful",
      job_id: "7",
      attempt: 2,
    }]);
  });
});

Deno.test("setupLogging() leaves out lines below the level", async () => {
  await withLogging({ level: "WARNING" }, async (handle) => {
    getLogger("api").info("quiet");
    getLogger("api").error("loud");
    await handle.flush();
    assertEquals(await lines(handle.file.path), ["2026-01-07 10:15:32 - api - ERROR - loud"]);
  });
});

Deno.test("setupLogging() makes a missing folder, and makes it again when it is removed", async () => {
  const root = await Deno.makeTempDir();
  const dir = `${root}/data/logs`;
  await withLogging({ dir }, async (handle) => {
    getLogger("main").info("one");
    await handle.flush();
    await Deno.remove(`${root}/data`, { recursive: true });
    getLogger("main").info("two");
    await handle.flush();
    assertEquals((await lines(handle.file.path)).map((line) => line.slice(-3)), ["two"]);
  });
  await Deno.remove(root, { recursive: true });
});

Deno.test("a line that an earlier crash cut off does not swallow the next one", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/daybook.log`, "whole\ncut o");
  await withLogging({ dir }, async (handle) => {
    getLogger("main").info("one");
    await handle.flush();
    assertEquals(await lines(handle.file.path), [
      "whole",
      "cut o",
      "2026-01-07 10:15:32 - main - INFO - one",
    ]);
  });
  await Deno.remove(dir, { recursive: true });
});

Deno.test("moveTo() moves what was logged so far and goes on in a fresh file", async () => {
  await withLogging({}, async (handle, dir) => {
    getLogger("main").info("old");
    const moved = await handle.file.moveTo(`${dir}/old`);
    getLogger("main").info("new");
    await handle.flush();
    assertEquals(moved, (await Deno.stat(`${dir}/old`)).size);
    assertEquals((await lines(`${dir}/old`)).map((line) => line.slice(-3)), ["old"]);
    assertEquals((await lines(handle.file.path)).map((line) => line.slice(-3)), ["new"]);
  });
});

Deno.test("moveTo() with nothing logged answers 0 and makes no file", async () => {
  await withLogging({}, async (handle, dir) => {
    assertEquals(await handle.file.moveTo(`${dir}/old`), 0);
    await assertRejects(() => Deno.stat(`${dir}/old`), Deno.errors.NotFound);
  });
});

Deno.test("moveTo() refuses to write over a file", async () => {
  await withLogging({}, async (handle, dir) => {
    await Deno.writeTextFile(`${dir}/old`, "kept");
    getLogger("main").info("new");
    await assertRejects(() => handle.file.moveTo(`${dir}/old`), Deno.errors.AlreadyExists, `${dir}/old`);
    assertEquals(await Deno.readTextFile(`${dir}/old`), "kept");
    assertEquals((await lines(handle.file.path)).length, 1);
  });
});

Deno.test("moveTo() loses and repeats no line while thousands are written", async () => {
  await withLogging({}, async (handle, dir) => {
    const logger = getLogger("main");
    let moves = 0;
    for (let line = 0; line < 20_000; line++) {
      logger.info(`line ${line} ${"x".repeat(line % 200)}`);
      if (line % 100 === 0) await Promise.resolve();
      if (line % 2_000 === 1_999) await handle.file.moveTo(`${dir}/moved.${moves++}`);
    }
    await handle.flush();
    const files = [...Array(moves).keys()].map((move) => `${dir}/moved.${move}`);
    const last = await Deno.stat(handle.file.path).then(() => [handle.file.path], () => []);
    const all = (await Promise.all([...files, ...last].map(lines))).flat();
    assertEquals(all.map((line) => Number(/line (\d+)/.exec(line)?.[1])), [...Array(20_000).keys()]);
  });
});

Deno.test("a log that cannot be written stops nobody, and nothing is lost once it can", async () => {
  const dir = await Deno.makeTempDir();
  // A folder in the file's place cannot be opened for writing, not even by root.
  await Deno.mkdir(`${dir}/daybook.log`);
  const said = console.error;
  const complaints: string[] = [];
  console.error = (message: string) => complaints.push(message);
  try {
    await withLogging({ dir }, async (handle) => {
      getLogger("main").error("one");
      await handle.flush();
      getLogger("main").error("two");
      await handle.flush();
      await Deno.remove(handle.file.path);
      getLogger("main").info("three");
      await handle.flush();
      assertEquals((await lines(handle.file.path)).map((line) => line.split(" - ").at(-1)), [
        "one",
        "two",
        "three",
      ]);
    });
  } finally {
    console.error = said;
    await Deno.remove(dir, { recursive: true });
  }
  assertEquals(complaints.length, 1);
  assert(complaints[0]?.includes(`Cannot write the log file "${dir}/daybook.log"`));
});

Deno.test({
  name: "a full disk drops what exceeds the buffer, says how many lines that were, and cuts none",
  ignore: smallDisk.unavailable,
  async fn() {
    await using disk = await smallDisk.mount(256 * 1024);
    const said = console.error;
    console.error = () => {};
    try {
      await withLogging({ dir: disk.path }, async (handle) => {
        await Deno.writeFile(`${disk.path}/ballast`, new Uint8Array(192 * 1024));
        const total = 100_000;
        for (let line = 0; line < total; line++) {
          getLogger("main").info(`line ${line} ${"x".repeat(150)}`);
          if (line === 1_000) await handle.flush();
        }
        await handle.flush();
        await disk.grow(64 * 1024 * 1024);
        await handle.flush();
        getLogger("main").info("room again");
        await handle.flush();
        const all = await lines(handle.file.path);
        const numbers = all.flatMap((line) => /INFO - line (\d+) x{150}$/.exec(line)?.[1] ?? []).map(Number);
        const told = all.flatMap((line) => /WARNING - (\d+) log lines were dropped/.exec(line)?.[1] ?? [])
          .map(Number);
        assertEquals(numbers, [...Array(numbers.length).keys()]);
        assertEquals(told, [total - numbers.length]);
        assertEquals(all.length, numbers.length + 2);
        assert(told[0]! > 0);
      });
    } finally {
      console.error = said;
    }
  },
});

Deno.test("lines that still wait when the process ends at once are written", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const setup = new URL("../../src/logging/setup.ts", import.meta.url);
    const program = `
      import { getLogger } from "@std/log";
      import { setupLogging } from ${JSON.stringify(setup.href)};
      setupLogging({ level: "INFO", format: "text", dir: ${JSON.stringify(dir)}, console: true });
      getLogger("main").info("last words");
      Deno.exit(3);`;
    const config = new URL("../../deno.json", import.meta.url).pathname;
    await Deno.writeTextFile(`${dir}/program.ts`, program);
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-lock", "-A", "--config", config, `${dir}/program.ts`],
      stderr: "inherit",
    }).output();
    assertEquals(output.code, 3);
    const text = await Deno.readTextFile(`${dir}/daybook.log`);
    assert(text.endsWith(" - main - INFO - last words\n"));
    assertEquals(new TextDecoder().decode(output.stdout), text);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
