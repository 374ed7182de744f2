import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import type { DbOptimizeResult } from "../../../src/handlers/db_optimize.ts";
import { workOnSqlite } from "../../../src/handlers/db_optimize/sqlite_work.ts";
import { type DatabaseTarget, PermanentError } from "../../../src/handlers/handler.ts";
import { scriptOutput } from "../../support/script_output.ts";
import { bloatedFile, bytesOf, optimize, statistics } from "./support.ts";
import { withTempDir } from "../../support/temp_dir.ts";

function sqlite(path: string): DatabaseTarget {
  return { name: "sqlite:app.db", kind: "sqlite", path };
}

const SETUPS = {
  "without auto_vacuum": "",
  "with auto_vacuum=INCREMENTAL": "PRAGMA auto_vacuum = INCREMENTAL",
  "with auto_vacuum=FULL": "PRAGMA auto_vacuum = FULL",
  "with a write-ahead log": "PRAGMA journal_mode = WAL",
  "with auto_vacuum=INCREMENTAL and a write-ahead log":
    "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL",
};

for (const [kind, setup] of Object.entries(SETUPS)) {
  Deno.test(`db_optimize shrinks a SQLite file ${kind}, loses no row, and measures what it freed`, () =>
    withTempDir(async (dir) => {
      const path = `${dir}/app.db`;
      bloatedFile(path, { setup });
      const before = bytesOf(path);
      const result = await optimize([sqlite(path)]).result;

      const freed = Math.max(0, before - bytesOf(path));
      assertEquals(result.space_freed_mb, freed / 1e6);
      if (!setup.includes("FULL")) assert(freed > before * 0.8, `${freed} of ${before} bytes`);
      assertEquals(result.status, "success");
      assertEquals(result.tables_analyzed, 2);
      assertEquals(result.tables_optimized, 2);
      assertEquals(result.notes, undefined);
      assert(result.duration_ms >= 0);
      assert(statistics(path) >= 2);
      using database = new DatabaseSync(path);
      assertEquals(database.prepare("SELECT count(*) AS n FROM orders").get()?.["n"], 200);
      assertEquals(database.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
    }));
}

Deno.test("db_optimize frees nothing in an incremental file that has no free pages, and says 0", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/app.db`;
    bloatedFile(path, { megabytes: 1, setup: "PRAGMA auto_vacuum = INCREMENTAL" });
    await optimize([sqlite(path)]).result;
    const again = await optimize([sqlite(path)]).result;
    assertEquals(again.tables_optimized, 0);
    assertEquals(again.tables_analyzed, 2);
    assertEquals(again.space_freed_mb, 0);
  }));

Deno.test("db_optimize takes an empty file for a database without tables", () =>
  withTempDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/app.db`, "");
    const result = await optimize([sqlite(`${dir}/app.db`)]).result;
    assertEquals([result.tables_analyzed, result.tables_optimized, result.space_freed_mb], [0, 0, 0]);
  }));

Deno.test("db_optimize never makes a missing file", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/app.db`;
    const error = await assertRejects(() => optimize([sqlite(path)]).result, Error);
    assertEquals(error.message, `Cannot optimize 'sqlite:app.db': there is no file at ${path}`);
    assertFalse(error instanceof PermanentError);
    assertEquals([...Deno.readDirSync(dir)], []);
  }));

Deno.test("db_optimize fails for good on a file that is no database, and leaves it as it is", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/app.db`;
    const text = "This is no database. ".repeat(100);
    await Deno.writeTextFile(path, text);
    const error = await assertRejects(() => optimize([sqlite(path)]).result, PermanentError);
    assertEquals(error.message, `Cannot optimize 'sqlite:app.db': ${path} is not a SQLite database`);
    assertEquals(await Deno.readTextFile(path), text);
  }));

Deno.test("db_optimize notes a table that it cannot analyze and goes on with the others", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/app.db`;
    bloatedFile(path, { megabytes: 1, setup: "PRAGMA auto_vacuum = INCREMENTAL" });
    {
      using database = new DatabaseSync(path);
      database.exec("CREATE TABLE words (word TEXT); CREATE INDEX by_word ON words (word COLLATE NOCASE)");
      database.exec("INSERT INTO words VALUES ('Apfel'), ('Birne')");
    }
    // As if the application had a collation of its own, which only it can define.
    const bytes = (await Deno.readFile(path)).reduce((text, byte) => text + String.fromCharCode(byte), "");
    const changed = bytes.replace("COLLATE NOCASE", "COLLATE GERMAN");
    await Deno.writeFile(path, Uint8Array.from(changed, (character) => character.charCodeAt(0)));

    const attempt = optimize([sqlite(path)]);
    const { tables_analyzed, notes } = await attempt.result;
    assertEquals(tables_analyzed, 2);
    assertEquals(notes?.length, 1);
    assertStringIncludes(notes![0]!, "sqlite:app.db: table words was not analyzed: ");
    assertEquals(attempt.logged, [`WARNING ${notes![0]}`]);
  }));

Deno.test("db_optimize stops between slices when its signal fires, with the signal's reason", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/app.db`;
    bloatedFile(path, { megabytes: 20, setup: "PRAGMA auto_vacuum = INCREMENTAL" });
    const aborting = new AbortController();
    const reason = new Error("enough");
    const attempt = optimize([sqlite(path)], {
      signal: aborting.signal,
      onProgress: (note) => note.includes("given back") && aborting.abort(reason),
    });
    assertEquals(await assertRejects(() => attempt.result, Error), reason);
    using database = new DatabaseSync(path, { timeout: 0 });
    database.exec("BEGIN IMMEDIATE; ROLLBACK");
    assert(Number(database.prepare("PRAGMA freelist_count").get()?.["freelist_count"]) > 0);
    assertEquals(database.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
  }));

Deno.test("db_optimize does not begin when its signal has fired", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/app.db`;
    bloatedFile(path, { megabytes: 1 });
    const before = bytesOf(path);
    const reason = new Error("enough");
    const error = await assertRejects(() =>
      optimize([sqlite(path)], { signal: AbortSignal.abort(reason) }).result
    );
    assertEquals(error, reason);
    assertEquals(bytesOf(path), before);
  }));

Deno.test("db_optimize waits for a lock that another program holds, and goes on when it is free", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/app.db`;
    bloatedFile(path, { megabytes: 1, setup: "PRAGMA journal_mode = WAL" });
    const before = bytesOf(path);
    using other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const attempt = optimize([sqlite(path)], {
      onProgress: (note) => {
        if (note.endsWith(": VACUUM") && other.isTransaction) other.exec("COMMIT");
      },
    });
    await attempt.result;
    other.close();
    assert(bytesOf(path) < before / 2);
  }));

for (const mode of ["DELETE", "WAL"]) {
  Deno.test(`workOnSqlite() gives up on a lock that another program keeps (journal mode ${mode}), and says so`, () =>
    withTempDir(async (dir) => {
      const path = `${dir}/app.db`;
      bloatedFile(path, { megabytes: 1, setup: `PRAGMA journal_mode = ${mode}` });
      using other = new DatabaseSync(path);
      other.exec("BEGIN EXCLUSIVE");
      const error = await assertRejects(
        () =>
          workOnSqlite(
            { say: "start", name: "app", path, own: false, patienceMs: 20 },
            new AbortController().signal,
            () => {},
          ),
        Error,
      );
      assertEquals(
        error.message,
        `Cannot optimize 'app' (${path}): another program holds its lock; a retry may find it free`,
      );
      assertFalse(error instanceof PermanentError);
    }));
}

async function inNarrowProcess(path: string): Promise<DbOptimizeResult> {
  const script = new URL("./narrow_process.ts", import.meta.url).pathname;
  const permissions = ["--no-prompt", "--allow-net", "--allow-read", "--allow-write", "--allow-env"];
  return JSON.parse(await scriptOutput("--quiet", ...permissions, "--allow-sys=hostname", script, path));
}

Deno.test("db_optimize only analyzes a file without auto_vacuum in a process that lacks a permission, and notes what it takes", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/app.db`;
    bloatedFile(path);
    const result = await inNarrowProcess(path);
    assertEquals([result.tables_analyzed, result.tables_optimized, result.space_freed_mb > 1], [2, 0, false]);
    assertEquals(result.notes?.length, 1);
    assert(
      /^sqlite:app.db: only analyzed; [3-5]\.\d MB of it are unused\. /.test(result.notes![0]!),
      result.notes![0],
    );
    assertStringIncludes(result.notes![0]!, "'deno task start:all'");
    assert(statistics(path) >= 2);
  }));

Deno.test("db_optimize shrinks a file with auto_vacuum=INCREMENTAL with no more permissions than the start has", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/app.db`;
    bloatedFile(path, { setup: "PRAGMA auto_vacuum = INCREMENTAL" });
    const before = bytesOf(path);
    const result = await inNarrowProcess(path);
    assertEquals(result.notes, undefined);
    assert(bytesOf(path) < before / 2);
  }));
