import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { getLogger } from "@std/log";
import type { HandlerContext, HandlerServices, LogFiles } from "../../../src/handlers/handler.ts";
import { logRotate, type LogRotateResult } from "../../../src/handlers/log_rotate.ts";
import { setupLogging } from "../../../src/logging/setup.ts";
import { smallDisk } from "../../logging/small_disk.ts";

const NOW = new Date("2026-01-07T10:15:32.123Z");
const STAMP = "20260107T101532123";

interface Scene {
  /** Removed after the test. */
  readonly dir: string;
  /** What `log()` and `progress()` were given. */
  readonly said: string[];
  readonly logs: { own: LogFiles["own"]; dirs: string[]; keep: number };
  now: Date;
  rotate(signal?: AbortSignal): Promise<LogRotateResult>;
}

/** A folder, and an own log without content. */
async function scene(test: (scene: Scene) => Promise<void>): Promise<void> {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  const said: string[] = [];
  const own = { path: `${dir}/daybook.log`, moveTo: () => Promise.resolve(0) };
  const it: Scene = {
    dir,
    said,
    logs: { own, dirs: [], keep: 10 },
    now: NOW,
    async rotate(signal = new AbortController().signal) {
      const context: HandlerContext = {
        jobId: "1",
        attempt: 1,
        idempotencyKey: "1",
        signal,
        progress: (percent, note) => said.push(`${Math.round(percent)} % ${note}`),
        log: (message) => said.push(message),
        now: () => it.now,
        services: { logs: it.logs } as unknown as HandlerServices,
      };
      return await logRotate.run({}, context);
    },
  };
  try {
    await test(it);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function gunzip(path: string): Promise<string> {
  using file = await Deno.open(path);
  const bytes = await new Response(file.readable.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  return new TextDecoder().decode(bytes);
}

async function gzip(path: string, text: string): Promise<void> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  await Deno.writeFile(path, stream);
}

function names(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map((entry) => entry.name).sort();
}

Deno.test("log_rotate takes an empty payload and no other", () => {
  assertEquals(logRotate.jobType, "log_rotate");
  assert(logRotate.payloadSchema.safeParse({}).success);
  assert(!logRotate.payloadSchema.safeParse({ keep: 1 }).success);
});

Deno.test("log_rotate with nothing to do answers zeros", async () => {
  await scene(async (it) => {
    const result = await it.rotate();
    assertEquals({ ...result, duration_ms: 0 }, {
      status: "success",
      logs_archived: 0,
      space_freed_mb: 0,
      current_log_size_mb: 0,
      duration_ms: 0,
    });
    assertEquals(names(it.dir), []);
  });
});

Deno.test("log_rotate archives Daybook's own log and measures what that freed", async () => {
  await scene(async (it) => {
    const logging = setupLogging({
      level: "INFO",
      format: "text",
      dir: it.dir,
      console: false,
      now: () => NOW,
    });
    it.logs.own = logging.file;
    for (let line = 0; line < 1000; line++) getLogger("main").info(`line ${line}`);
    await logging.flush();
    const before = await Deno.readTextFile(logging.file.path);
    const result = await it.rotate();
    getLogger("main").info("afterwards");
    await logging.close();

    const archive = `${it.dir}/daybook.log.${STAMP}.gz`;
    assertEquals(names(it.dir), ["daybook.log", `daybook.log.${STAMP}.gz`]);
    assertEquals(await gunzip(archive), before);
    assertEquals(result.logs_archived, 1);
    assertEquals(result.space_freed_mb, (before.length - (await Deno.stat(archive)).size) / 1e6);
    assertEquals(result.current_log_size_mb, 0);
    assert((await Deno.readTextFile(logging.file.path)).endsWith("afterwards\n"));
  });
});

Deno.test("log_rotate loses and repeats no line of the own log while thousands are being written", async () => {
  await scene(async (it) => {
    const logging = setupLogging({ level: "INFO", format: "text", dir: it.dir, console: false });
    it.logs.own = logging.file;
    it.logs.keep = 1000;
    const total = 20_000;
    let written = 0;
    const writer = async () => {
      while (written < total) {
        for (let burst = 0; burst < 200; burst++) getLogger("main").info(`line ${written++}`);
        await logging.flush();
      }
    };
    const rotator = async () => {
      while (written < total) await it.rotate();
    };
    await Promise.all([writer(), rotator(), rotator()]);
    await logging.close();

    const archives = names(it.dir).filter((name) => name.endsWith(".gz"));
    assert(archives.length > 1);
    let all = "";
    for (const name of archives) all += await gunzip(`${it.dir}/${name}`);
    if (names(it.dir).includes("daybook.log")) all += await Deno.readTextFile(logging.file.path);
    // Two rotations in one millisecond share no name, but their order by name is not that of their lines.
    const numbers = [...all.matchAll(/ line (\d+)\n/g)].map((match) => Number(match[1])).sort((a, b) =>
      a - b
    );
    assertEquals(numbers, [...Array(total).keys()]);
    assertEquals(names(it.dir).filter((name) => !/^daybook\.log(\.\d{8}T\d{9}\.gz)?$/.test(name)), []);
  });
});

Deno.test("log_rotate rotates the *.log files of the configured folders and nothing else there", async () => {
  await scene(async (it) => {
    const dir = `${it.dir}/app`;
    await Deno.mkdir(`${dir}/deeper.log`, { recursive: true });
    await Deno.writeTextFile(`${dir}/deeper.log/inner.log`, "inner\n");
    await Deno.writeTextFile(`${dir}/a.log`, "a1\na2\n");
    await Deno.writeTextFile(`${dir}/empty.log`, "");
    await Deno.writeTextFile(`${dir}/notes.txt`, "keep");
    it.logs.dirs = [dir, `${dir}/`];
    const result = await it.rotate();
    assertEquals(result.logs_archived, 1);
    assertEquals(names(dir), ["a.log", `a.log.${STAMP}.gz`, "deeper.log", "empty.log", "notes.txt"]);
    assertEquals(await gunzip(`${dir}/a.log.${STAMP}.gz`), "a1\na2\n");
    assertEquals(await Deno.readTextFile(`${dir}/a.log`), "");
    assertEquals(await Deno.readTextFile(`${dir}/deeper.log/inner.log`), "inner\n");
  });
});

Deno.test("a program that keeps its log open goes on writing into it after log_rotate", async () => {
  await scene(async (it) => {
    it.logs.dirs = [it.dir];
    using file = await Deno.open(`${it.dir}/a.log`, { append: true, create: true });
    const write = (text: string) => file.write(new TextEncoder().encode(text));
    await write("one\n");
    await it.rotate();
    await write("two\n");
    assertEquals(await Deno.readTextFile(`${it.dir}/a.log`), "two\n");
    assertEquals(await gunzip(`${it.dir}/a.log.${STAMP}.gz`), "one\n");
  });
});

Deno.test("a folder that holds the own log too has it rotated once, as the own log", async () => {
  await scene(async (it) => {
    const logging = setupLogging({ level: "INFO", format: "text", dir: it.dir, console: false });
    it.logs.own = logging.file;
    it.logs.dirs = [it.dir];
    getLogger("main").info("one");
    const result = await it.rotate();
    await logging.close();
    assertEquals(result.logs_archived, 1);
    assertEquals(names(it.dir), [`daybook.log.${STAMP}.gz`]);
  });
});

Deno.test("log_rotate keeps the newest archives of each log", async () => {
  await scene(async (it) => {
    it.logs.dirs = [it.dir];
    it.logs.keep = 2;
    for (const log of ["a.log", "b.log"]) {
      for (const day of ["01", "02", "03"]) await gzip(`${it.dir}/${log}.202601${day}T000000000.gz`, day);
    }
    await Deno.writeTextFile(`${it.dir}/a.log`, "new\n");
    await it.rotate();
    assertEquals(names(it.dir), [
      "a.log",
      "a.log.20260103T000000000.gz",
      `a.log.${STAMP}.gz`,
      "b.log.20260102T000000000.gz",
      "b.log.20260103T000000000.gz",
    ]);
    assert(it.said.some((line) => line.includes("a.log.20260101T000000000.gz")));
  });
});

Deno.test("two rotations in the same millisecond make two archives", async () => {
  await scene(async (it) => {
    it.logs.dirs = [it.dir];
    for (const text of ["one\n", "two\n"]) {
      await Deno.writeTextFile(`${it.dir}/a.log`, text);
      await it.rotate();
    }
    assertEquals(await gunzip(`${it.dir}/a.log.20260107T101532123.gz`), "one\n");
    assertEquals(await gunzip(`${it.dir}/a.log.20260107T101532124.gz`), "two\n");
  });
});

Deno.test("log_rotate finishes what an attempt that was cut short after moving the own log left", async () => {
  await scene(async (it) => {
    const moved = `${it.dir}/daybook.log.20260106T000000000`;
    await Deno.writeTextFile(moved, "yesterday\n");
    await Deno.writeTextFile(`${moved}.gz.tmp`, "half an archive");
    const result = await it.rotate();
    assertEquals(result.logs_archived, 1);
    assertEquals(names(it.dir), ["daybook.log.20260106T000000000.gz"]);
    assertEquals(await gunzip(`${moved}.gz`), "yesterday\n");
  });
});

Deno.test("log_rotate repeats no line when it was cut short before the compressed lines were removed", async () => {
  await scene(async (it) => {
    const moved = `${it.dir}/daybook.log.20260106T000000000`;
    await Deno.writeTextFile(moved, "yesterday\n");
    await gzip(`${moved}.gz`, "yesterday\n");
    await it.rotate();
    assertEquals(names(it.dir), ["daybook.log.20260106T000000000.gz"]);
    assertEquals(await gunzip(`${moved}.gz`), "yesterday\n");
  });
});

Deno.test("log_rotate removes the copy of a log that it was cut short before emptying", async () => {
  await scene(async (it) => {
    it.logs.dirs = [it.dir];
    await Deno.writeTextFile(`${it.dir}/a.log`, "one\ntwo\nthree\n");
    await Deno.writeTextFile(`${it.dir}/a.log.20260106T000000000.copy`, "one\ntw");
    await it.rotate();
    assertEquals(names(it.dir), ["a.log", `a.log.${STAMP}.gz`]);
    assertEquals(await gunzip(`${it.dir}/a.log.${STAMP}.gz`), "one\ntwo\nthree\n");
  });
});

Deno.test("log_rotate keeps the copy of a log that it was cut short after emptying", async () => {
  await scene(async (it) => {
    it.logs.dirs = [it.dir];
    await Deno.writeTextFile(`${it.dir}/a.log`, "three\nfour\nfive\n");
    await Deno.writeTextFile(`${it.dir}/a.log.20260106T000000000.copy`, "one\ntwo\n");
    const result = await it.rotate();
    assertEquals(result.logs_archived, 2);
    assertEquals(await gunzip(`${it.dir}/a.log.20260106T000000000.gz`), "one\ntwo\n");
    assertEquals(await gunzip(`${it.dir}/a.log.${STAMP}.gz`), "three\nfour\nfive\n");
  });
});

Deno.test("log_rotate never follows a link, nor touches a file that has a second name", async () => {
  await scene(async (it) => {
    const outside = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${outside}/target`, "not a log\n");
      await Deno.writeTextFile(`${outside}/twin`, "two names\n");
      await Deno.symlink(`${outside}/target`, `${it.dir}/link.log`);
      await Deno.link(`${outside}/twin`, `${it.dir}/twin.log`);
      await Deno.symlink(`${outside}/target`, `${it.dir}/a.log.20260106T000000000`);
      await Deno.symlink(`${outside}/target`, `${it.dir}/b.log.${STAMP}.gz.tmp`);
      await Deno.writeTextFile(`${it.dir}/b.log`, "b\n");
      it.logs.dirs = [it.dir];
      const result = await it.rotate();
      assertEquals(result.logs_archived, 1);
      assertEquals(await Deno.readTextFile(`${outside}/target`), "not a log\n");
      assertEquals(await Deno.readTextFile(`${outside}/twin`), "two names\n");
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  });
});

Deno.test("log_rotate leaves a log alone that another rotation holds", async () => {
  await scene(async (it) => {
    await Deno.writeTextFile(`${it.dir}/a.log`, "one\n");
    it.logs.dirs = [it.dir];
    using held = await Deno.open(`${it.dir}/a.log`);
    await held.lock(true);
    assertEquals((await it.rotate()).logs_archived, 0);
    assertEquals(await Deno.readTextFile(`${it.dir}/a.log`), "one\n");
  });
});

Deno.test("log_rotate names a folder that it cannot read, and has touched nothing then", async () => {
  await scene(async (it) => {
    await Deno.writeTextFile(`${it.dir}/a.log`, "one\n");
    it.logs.dirs = [it.dir, `${it.dir}/missing`];
    const error = await assertRejects(() => it.rotate(), Error, `"${it.dir}/missing" (NotFound)`);
    assertStringIncludes(error.message, "DAYBOOK_LOG_DIRS");
    assertEquals(names(it.dir), ["a.log"]);
  });
});

Deno.test("log_rotate stops between logs when it is told to, with the reason", async () => {
  await scene(async (it) => {
    it.logs.dirs = [it.dir];
    await Deno.writeTextFile(`${it.dir}/a.log`, "one\n");
    const stop = AbortSignal.abort(new DOMException("cancelled by test", "AbortError"));
    await assertRejects(() => it.rotate(stop), DOMException, "cancelled by test");
    assertEquals(names(it.dir), ["a.log"]);
  });
});

Deno.test("an own log that was moved but could not be compressed is archived by the next attempt", async () => {
  await scene(async (it) => {
    const stop = new AbortController();
    it.logs.own = {
      path: `${it.dir}/daybook.log`,
      async moveTo(to) {
        await Deno.writeTextFile(to, "one\n");
        stop.abort(new Error("shutdown"));
        return 4;
      },
    };
    await assertRejects(() => it.rotate(stop.signal), Error, "shutdown");
    assertEquals(names(it.dir), [`daybook.log.${STAMP}`]);
    it.logs.own = { ...it.logs.own, moveTo: () => Promise.resolve(0) };
    assertEquals((await it.rotate()).logs_archived, 1);
    assertEquals(await gunzip(`${it.dir}/daybook.log.${STAMP}.gz`), "one\n");
  });
});

Deno.test("log_rotate stops in the middle of a large log, and keeps its lines", async () => {
  await scene(async (it) => {
    const moved = `${it.dir}/daybook.log.20260106T000000000`;
    await Deno.writeFile(moved, new Uint8Array(20_000_000));
    const stop = new AbortController();
    const rotation = it.rotate(stop.signal);
    setTimeout(() => stop.abort(new Error("shutdown")), 0);
    await assertRejects(() => rotation, Error, "shutdown");
    assertEquals(names(it.dir), ["daybook.log.20260106T000000000"]);
    assertEquals((await Deno.stat(moved)).size, 20_000_000);
  });
});

Deno.test("log_rotate reports its progress", async () => {
  await scene(async (it) => {
    it.logs.dirs = [it.dir];
    await Deno.writeTextFile(`${it.dir}/a.log`, "one\n");
    await it.rotate();
    assertEquals(it.said.filter((line) => line.includes(" % ")), [
      "0 % Rotating daybook.log",
      "50 % Rotating a.log",
      "100 % 1 archived",
    ]);
  });
});

Deno.test({
  name: "on a full disk log_rotate fails, keeps every line, and finishes once there is room",
  ignore: smallDisk.unavailable,
  async fn() {
    await using disk = await smallDisk.mount(256 * 1024);
    await scene(async (it) => {
      const text = Array.from({ length: 2_000 }, () => `${crypto.randomUUID()}\n`).join("");
      const moved = `${disk.path}/daybook.log.20260106T000000000`;
      await Deno.writeTextFile(moved, text);
      await Deno.writeTextFile(`${disk.path}/app.log`, text);
      await Deno.writeFile(`${disk.path}/ballast`, new Uint8Array(76 * 1024));
      it.logs.own = { path: `${disk.path}/daybook.log`, moveTo: () => Promise.resolve(0) };
      it.logs.dirs = [disk.path];
      await assertRejects(() => it.rotate());
      assertEquals(names(disk.path), ["app.log", "ballast", "daybook.log.20260106T000000000"]);
      assertEquals(await Deno.readTextFile(moved), text);
      assertEquals(await Deno.readTextFile(`${disk.path}/app.log`), text);

      await disk.grow(1024 * 1024);
      assertEquals((await it.rotate()).logs_archived, 2);
      assertEquals(await gunzip(`${moved}.gz`), text);
      assertEquals(await gunzip(`${disk.path}/app.log.${STAMP}.gz`), text);
    });
  },
});
