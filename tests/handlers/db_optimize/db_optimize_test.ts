import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { dbOptimize } from "../../../src/handlers/db_optimize.ts";
import { type DatabaseTarget, PermanentError } from "../../../src/handlers/handler.ts";
import { bloatedFile, bytesOf, optimize } from "./support.ts";
import { withTempDir } from "../../support/temp_dir.ts";

function twoFiles(dir: string): DatabaseTarget[] {
  return ["a", "b"].map((name) => {
    const path = `${dir}/${name}.db`;
    bloatedFile(path, { megabytes: 1 });
    return { name: `sqlite:${name}.db`, kind: "sqlite", path };
  });
}

Deno.test("db_optimize takes a list of targets and nothing else", () => {
  const { payloadSchema } = dbOptimize;
  assert(payloadSchema.safeParse({}).success);
  assert(payloadSchema.safeParse({ targets: ["daybook"] }).success);
  for (const payload of [{ targets: [] }, { targets: [1] }, { targets: "daybook" }, { target: "daybook" }]) {
    assert(!payloadSchema.safeParse(payload).success, JSON.stringify(payload));
  }
});

Deno.test("db_optimize works on the configured databases and leaves Daybook's own file alone", () =>
  withTempDir(async (dir) => {
    const own: DatabaseTarget = { name: "daybook", kind: "own", path: `${dir}/none.kv` };
    const result = await optimize([own, ...twoFiles(dir)]).result;
    assertEquals(result.tables_optimized, 4);
  }));

Deno.test("db_optimize works on Daybook's own file when nothing is configured", () =>
  withTempDir(async (dir) => {
    bloatedFile(`${dir}/own.kv`, { setup: "PRAGMA auto_vacuum = INCREMENTAL" });
    const before = bytesOf(`${dir}/own.kv`);
    await optimize([{ name: "daybook", kind: "own", path: `${dir}/own.kv` }]).result;
    assert(bytesOf(`${dir}/own.kv`) < before / 2);
  }));

Deno.test("db_optimize works on the targets that the payload names, each once", () =>
  withTempDir(async (dir) => {
    const attempt = optimize(twoFiles(dir), { payload: { targets: ["sqlite:b.db", "sqlite:b.db"] } });
    assertEquals((await attempt.result).tables_optimized, 2);
    assert(attempt.progress.every((line) => !line.includes("sqlite:a.db")));
  }));

Deno.test("db_optimize fails for good on a target that it does not know, and names those that it knows", () =>
  withTempDir(async (dir) => {
    const attempt = optimize(twoFiles(dir), { payload: { targets: ["sqlite:a.db", "nonsense"] } });
    const error = await assertRejects(() => attempt.result, PermanentError);
    assertStringIncludes(
      error.message,
      "Unknown database 'nonsense'; known are 'sqlite:a.db', 'sqlite:b.db'",
    );
    assertEquals(attempt.progress, []);
  }));

Deno.test("db_optimize reports progress from 0 to 100 through all databases, never backwards", () =>
  withTempDir(async (dir) => {
    const attempt = optimize(twoFiles(dir));
    await attempt.result;
    const percents = attempt.progress.map((line) => parseInt(line));
    assertEquals(percents, percents.toSorted((one, other) => one - other));
    assertEquals(percents[0], 0);
    assertEquals(attempt.progress.at(-1), "100 % 2 optimized");
    assert(attempt.progress.some((line) => line.endsWith("sqlite:a.db: ANALYZE orders")));
    assert(attempt.progress.some((line) => line.endsWith("sqlite:b.db: VACUUM")));
  }));

Deno.test("db_optimize goes on after a database that fails, and fails with what it was", () =>
  withTempDir(async (dir) => {
    const [good] = twoFiles(dir);
    const before = bytesOf(`${dir}/a.db`);
    const missing: DatabaseTarget = { name: "sqlite:no.db", kind: "sqlite", path: `${dir}/no.db` };
    const attempt = optimize([missing, good!]);
    const error = await assertRejects(() => attempt.result, Error);
    assertEquals(error.message, `Cannot optimize 'sqlite:no.db': there is no file at ${dir}/no.db`);
    assert(bytesOf(`${dir}/a.db`) < before / 2);
  }));

Deno.test("db_optimize tells all failures, and retries unless none of them can be mended", () =>
  withTempDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/text.db`, "This is no database. ".repeat(100));
    const text: DatabaseTarget = { name: "sqlite:text.db", kind: "sqlite", path: `${dir}/text.db` };
    const missing: DatabaseTarget = { name: "sqlite:no.db", kind: "sqlite", path: `${dir}/no.db` };

    const mixed = await assertRejects(() => optimize([text, missing]).result, AggregateError);
    assertStringIncludes(mixed.message, "sqlite:text.db");
    assertStringIncludes(mixed.message, "sqlite:no.db");
    await assertRejects(() => optimize([text, { ...text, name: "again" }]).result, PermanentError);
  }));
