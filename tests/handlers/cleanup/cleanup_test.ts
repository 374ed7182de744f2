import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { cleanup, type CleanupPayload, type CleanupResult } from "../../../src/handlers/cleanup.ts";
import { parseArchive } from "../../../src/handlers/cleanup/archived_logs.ts";
import type { ExpiringRecords, HandlerContext, HandlerServices } from "../../../src/handlers/handler.ts";
import { parseRotated, stampOf } from "../../../src/handlers/log_rotate/names.ts";

const DAY = 86_400_000;

interface Scene {
  readonly dir: string;
  readonly temp: string;
  readonly said: string[];
  /** What the records were asked for. */
  readonly asked: { what: string; before: Date }[];
  now: Date;
  dirs: string[];
  records: ExpiringRecords;
  clean(payload?: CleanupPayload, signal?: AbortSignal): Promise<CleanupResult>;
}

async function scene(test: (scene: Scene) => Promise<void>): Promise<void> {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  const temp = `${dir}/tmp`;
  await Deno.mkdir(temp);
  await Deno.mkdir(`${dir}/logs`);
  const it: Scene = {
    dir,
    temp,
    said: [],
    asked: [],
    now: new Date(),
    dirs: [],
    records: {
      deleteExpired: (before) => Promise.resolve(it.asked.push({ what: "expired", before })),
      deleteCancelledJobs: (before) => Promise.resolve(it.asked.push({ what: "cancelled", before })),
    },
    async clean(payload = {}, signal = new AbortController().signal) {
      const services: Partial<HandlerServices> = {
        logs: {
          own: { path: `${dir}/logs/daybook.log`, moveTo: () => Promise.resolve(0) },
          dirs: it.dirs,
          keep: 7,
        },
        records: it.records,
        tempDir: temp,
      };
      const context: HandlerContext = {
        jobId: "1",
        attempt: 1,
        idempotencyKey: "1",
        signal,
        progress: (percent, note) => it.said.push(`${Math.round(percent)} % ${note}`),
        log: (message, level) => it.said.push(`${level ?? "INFO"} ${message}`),
        now: () => it.now,
        services: services as HandlerServices,
      };
      return await cleanup.run(payload, context);
    },
  };
  try {
    await test(it);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function names(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map((entry) => entry.name).sort();
}

/** Makes `now` two days later than the files that exist. */
function letTwoDaysPass(it: Scene): void {
  it.now = new Date(Date.now() + 2 * DAY);
}

/** A file touched an hour before `now`. */
async function writeFresh(it: Scene, path: string): Promise<void> {
  await Deno.writeTextFile(path, "fresh");
  await Deno.utime(path, new Date(it.now.getTime() - 3_600_000), new Date(it.now.getTime() - 3_600_000));
}

Deno.test("cleanup takes a type and an age, and nothing else", () => {
  const fits = (payload: unknown) => cleanup.payloadSchema.safeParse(payload).success;
  assertEquals(cleanup.jobType, "cleanup");
  for (const type of ["all", "expired_data", "old_logs", "cancelled_jobs", "temp_files"]) {
    assert(fits({ type }));
  }
  for (const older_than_days of [0, 0.5, 30, 36_500]) assert(fits({ older_than_days }));
  for (const older_than_days of [-1, 36_501, NaN, "7"]) assert(!fits({ older_than_days }));
  assert(fits({}));
  assert(!fits({ type: "everything" }));
  assert(!fits({ path: "/" }));
});

Deno.test("cleanup with nothing to do answers zeros", async () => {
  await scene(async (it) => {
    it.records = { deleteExpired: () => Promise.resolve(0), deleteCancelledJobs: () => Promise.resolve(0) };
    const result = await it.clean();
    assertEquals({ ...result, duration_ms: 0 }, {
      status: "success",
      type: "all",
      records_deleted: 0,
      space_freed_mb: 0,
      duration_ms: 0,
      by_type: { expired_data: 0, old_logs: 0, cancelled_jobs: 0, temp_files: 0 },
      removed: [],
      removed_total: 0,
    });
  });
});

Deno.test("cleanup removes what has expired by now, and jobs cancelled over 7 days ago", async () => {
  await scene(async (it) => {
    it.now = new Date("2026-01-20T00:00:00.000Z");
    const result = await it.clean();
    assertEquals(it.asked, [
      { what: "expired", before: new Date("2026-01-20T00:00:00.000Z") },
      { what: "cancelled", before: new Date("2026-01-13T00:00:00.000Z") },
    ]);
    assertEquals([result.records_deleted, result.by_type.expired_data, result.by_type.cancelled_jobs], [
      3,
      1,
      2,
    ]);
  });
});

Deno.test("cleanup of one type leaves the others alone, and older_than_days overrides its age", async () => {
  await scene(async (it) => {
    it.now = new Date("2026-01-20T00:00:00.000Z");
    const result = await it.clean({ type: "cancelled_jobs", older_than_days: 0.5 });
    assertEquals(it.asked, [{ what: "cancelled", before: new Date("2026-01-19T12:00:00.000Z") }]);
    assertEquals([result.type, result.records_deleted], ["cancelled_jobs", 1]);
  });
});

Deno.test("cleanup removes archives of logs over 90 days old, and nothing else in their folders", async () => {
  await scene(async (it) => {
    it.now = new Date("2026-04-10T00:00:00.000Z");
    const app = `${it.dir}/app`;
    await Deno.mkdir(app);
    it.dirs = [app];
    const old = "20260109T235959999.gz";
    const young = "20260110T000000000.gz";
    const keep = [
      `${it.dir}/logs/daybook.log`,
      `${it.dir}/logs/daybook.log.${young}`,
      `${it.dir}/logs/other.log.${old}`,
      `${it.dir}/logs/daybook.log.20260101T000000000`,
      `${it.dir}/logs/backup.gz`,
      `${app}/a.log`,
      `${app}/a.log.${young}`,
      `${app}/a.txt.${old}`,
      `${app}/a.log.20269999T000000000.gz`,
    ];
    const go = [`${it.dir}/logs/daybook.log.${old}`, `${app}/a.log.${old}`];
    for (const path of [...keep, ...go]) await Deno.writeTextFile(path, "0123456789");
    const result = await it.clean({ type: "old_logs" });
    assertEquals(names(`${it.dir}/logs`), keep.slice(0, 5).map((path) => path.split("/").at(-1)!).sort());
    assertEquals(names(app), keep.slice(5).map((path) => path.split("/").at(-1)!).sort());
    assertEquals([result.records_deleted, result.removed_total, result.space_freed_mb], [2, 2, 20 / 1e6]);
    assertEquals(result.removed, [
      { type: "old_logs", name: `daybook.log.${old}`, bytes: 10 },
      { type: "old_logs", name: `a.log.${old}`, bytes: 10 },
    ]);
  });
});

Deno.test("cleanup knows archives by the very names that log_rotate gives them", () => {
  const madeAt = new Date("2026-01-07T10:15:32.123Z");
  const name = `daybook.log.${stampOf(madeAt)}.gz`;
  assertEquals(parseRotated(name)?.kind, "archive");
  assertEquals(parseArchive(name), { log: "daybook.log", madeAt });
  for (const ending of ["", ".gz.tmp", ".copy"]) {
    assertEquals(parseArchive(`daybook.log.${stampOf(madeAt)}${ending}`), undefined);
  }
});

Deno.test("cleanup removes temporary files untouched for a day, at any depth, and folders left empty", async () => {
  await scene(async (it) => {
    await Deno.mkdir(`${it.temp}/a/b`, { recursive: true });
    await Deno.mkdir(`${it.temp}/c`);
    await Deno.writeTextFile(`${it.temp}/one`, "12345");
    await Deno.writeTextFile(`${it.temp}/a/b/two`, "123");
    letTwoDaysPass(it);
    await writeFresh(it, `${it.temp}/c/fresh`);
    const result = await it.clean({ type: "temp_files" });
    assertEquals(names(it.temp), ["c"]);
    assertEquals(names(`${it.temp}/c`), ["fresh"]);
    assertEquals([result.records_deleted, result.space_freed_mb], [2, 8 / 1e6]);
    assertEquals(result.removed.map((file) => file.name).sort(), ["a/b/two", "one"]);
  });
});

Deno.test("cleanup leaves temporary files alone that are younger than a day", async () => {
  await scene(async (it) => {
    await Deno.mkdir(`${it.temp}/new`);
    await Deno.writeTextFile(`${it.temp}/one`, "1");
    // Its content is old, but it was put here just now.
    await Deno.utime(`${it.temp}/one`, 0, 0);
    const result = await it.clean({ type: "temp_files" });
    assertEquals(names(it.temp), ["new", "one"]);
    assertEquals(result.records_deleted, 0);
  });
});

Deno.test("cleanup never leaves the folder of temporary files: it removes links, not what they lead to", async () => {
  await scene(async (it) => {
    const outside = `${it.dir}/outside`;
    await Deno.mkdir(outside);
    await Deno.writeTextFile(`${outside}/file`, "precious");
    await Deno.symlink(outside, `${it.temp}/folder`);
    await Deno.symlink(`${outside}/file`, `${it.temp}/file`);
    await Deno.symlink("../..", `${it.temp}/up`);
    letTwoDaysPass(it);
    const result = await it.clean({ type: "temp_files" });
    assertEquals(names(it.temp), []);
    assertEquals(await Deno.readTextFile(`${outside}/file`), "precious");
    assertEquals([result.records_deleted, result.space_freed_mb], [3, 0]);
  });
});

Deno.test("a file with a second name elsewhere frees nothing and is not counted as freed", async () => {
  await scene(async (it) => {
    await Deno.writeTextFile(`${it.dir}/twin`, "12345");
    await Deno.link(`${it.dir}/twin`, `${it.temp}/twin`);
    letTwoDaysPass(it);
    const result = await it.clean({ type: "temp_files" });
    assertEquals([result.records_deleted, result.space_freed_mb], [1, 0]);
    assertEquals(await Deno.readTextFile(`${it.dir}/twin`), "12345");
  });
});

Deno.test("cleanup names at most 200 removed files, in a result under 8 KiB, and counts all", async () => {
  await scene(async (it) => {
    for (let file = 0; file < 250; file++) await Deno.writeTextFile(`${it.temp}/${file}`, "1");
    letTwoDaysPass(it);
    const short = await it.clean({ type: "temp_files" });
    assert(short.removed.length > 100 && short.removed.length <= 200);
    assertEquals(short.removed_total, 250);
    assert(new TextEncoder().encode(JSON.stringify(short)).byteLength < 8192);

    it.now = new Date();
    for (let file = 0; file < 100; file++) {
      await Deno.writeTextFile(`${it.temp}/${"é".repeat(100)}${file}`, "1");
    }
    letTwoDaysPass(it);
    const long = await it.clean({ type: "temp_files" });
    assert(long.removed.length > 0 && long.removed.length < 100);
    assertEquals(long.removed_total, 100);
    assert(new TextEncoder().encode(JSON.stringify(long)).byteLength < 8192);
  });
});

Deno.test("cleanup goes on when one type fails, then fails naming the folder", async () => {
  await scene(async (it) => {
    it.dirs = [`${it.dir}/missing`];
    await Deno.writeTextFile(`${it.temp}/one`, "1");
    letTwoDaysPass(it);
    await assertRejects(() => it.clean(), Error, `"${it.dir}/missing" (NotFound)`);
    assertEquals(names(it.temp), []);
    assertEquals(it.asked.length, 2);
  });
});

Deno.test("cleanup tells every failure when several types fail", async () => {
  await scene(async (it) => {
    it.dirs = [`${it.dir}/missing`];
    it.records = { ...it.records, deleteExpired: () => Promise.reject(new Error("log is full")) };
    const error = await assertRejects(() => it.clean(), AggregateError, "log is full");
    assertStringIncludes(error.message, "missing");
  });
});

Deno.test("cleanup without a folder of logs or temporary files yet has nothing to do there", async () => {
  await scene(async (it) => {
    await Deno.remove(it.temp);
    await Deno.remove(`${it.dir}/logs`);
    const result = await it.clean();
    assertEquals(result.removed_total, 0);
  });
});

Deno.test("cleanup stops when it is told to, with the reason", async () => {
  await scene(async (it) => {
    const stop = new AbortController();
    it.records = {
      ...it.records,
      deleteExpired: () => {
        stop.abort(new DOMException("cancelled by test", "AbortError"));
        return Promise.resolve(1);
      },
    };
    await assertRejects(() => it.clean({}, stop.signal), DOMException, "cancelled by test");
    assertEquals(it.asked, []);
  });
});

Deno.test("cleanup reports its progress and logs what it removed", async () => {
  await scene(async (it) => {
    await Deno.writeTextFile(`${it.temp}/one`, "1");
    letTwoDaysPass(it);
    await it.clean({ type: "temp_files" });
    assertEquals(it.said, [
      "0 % Cleaning temp_files",
      "DEBUG Removed one (temp_files, 1 bytes)",
      "INFO Removed 1 of temp_files older than 1 days",
      "100 % 1 removed",
    ]);
  });
});
