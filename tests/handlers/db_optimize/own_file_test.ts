import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createKvFile } from "../../../src/config/kv_file.ts";
import type { DatabaseTarget } from "../../../src/handlers/handler.ts";
import { bytesOf, optimize } from "./support.ts";
import { withTempDir } from "../../support/temp_dir.ts";

/** A wait that nobody would call short. What was measured on a quiet machine is told in `incremental_vacuum.ts`. */
const LONG_WAIT_MS = 3_000;

function own(path: string): DatabaseTarget {
  return { name: "daybook", kind: "own", path };
}

/** Writes `megabytes` and deletes most of it again. */
async function bloat(kv: Deno.Kv, megabytes: number): Promise<void> {
  const value = new Uint8Array(20_000);
  for (let round = 0; round < megabytes; round++) {
    const commit = kv.atomic();
    for (let index = 0; index < 30; index++) commit.set(["gone", round, index], value);
    for (let index = 0; index < 5; index++) commit.set(["kept", round % 5, index], value);
    await commit.commit();
  }
  for (let round = 0; round < megabytes; round++) {
    const commit = kv.atomic();
    for (let index = 0; index < 30; index++) commit.delete(["gone", round, index]);
    await commit.commit();
  }
}

/** Commits one after the other until it is disposed of. */
class Writer implements AsyncDisposable {
  readonly waits: number[] = [];
  readonly #done: Promise<void>;
  #stopped = false;

  constructor(private readonly kv: Deno.Kv) {
    this.#done = this.#write();
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const started = performance.now();
      const n = this.waits.length;
      await this.kv.atomic().set(["log", n], { n }).set(["head"], n).commit();
      this.waits.push(performance.now() - started);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}

Deno.test("db_optimize shrinks Daybook's own file beside a busy writer, which fails no commit and never waits long", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/daybook.kv`;
    await createKvFile(path);
    using kv = await Deno.openKv(path);
    await bloat(kv, 40);
    const before = bytesOf(path);
    const writer = new Writer(kv);
    {
      await using _ = writer;
      const result = await optimize([own(path)]).result;
      assertEquals(result.notes, undefined);
      assert(result.tables_analyzed > 0);
      assertEquals(result.tables_optimized, result.tables_analyzed);
      const { size } = await Deno.stat(path);
      assert(size < 2e6, `the file is cut while the writer writes: ${size} bytes`);
      assert(result.space_freed_mb > before / 2e6, `${result.space_freed_mb} MB of ${before} bytes`);
    }
    assert(writer.waits.length > 50, `${writer.waits.length} commits`);
    const longest = Math.max(...writer.waits);
    assert(longest < LONG_WAIT_MS, `a commit took ${longest} ms`);

    assertEquals((await kv.get(["head"])).value, writer.waits.length - 1);
    assertEquals((await Array.fromAsync(kv.list({ prefix: ["log"] }))).length, writer.waits.length);
    assertEquals((await Array.fromAsync(kv.list({ prefix: ["kept"] }))).length, 25);
  }));

Deno.test("db_optimize leaves Daybook's own file whole, and usable after the next start", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/daybook.kv`;
    await createKvFile(path);
    {
      using kv = await Deno.openKv(path);
      await bloat(kv, 5);
      await optimize([own(path)]).result;
    }
    {
      using database = new DatabaseSync(path, { readOnly: true });
      assertEquals(database.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
    }
    using kv = await Deno.openKv(path);
    assertEquals((await Array.fromAsync(kv.list({ prefix: ["kept"] }))).length, 25);
    await kv.set(["again"], true);
  }));

Deno.test("db_optimize only analyzes an own file that was made without auto_vacuum, and notes that", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/daybook.kv`;
    using kv = await Deno.openKv(path);
    await bloat(kv, 5);
    const result = await optimize([own(path)]).result;
    assertEquals(result.tables_optimized, 0);
    assert(result.tables_analyzed > 0);
    assertEquals(result.notes?.length, 1);
    assertStringIncludes(
      result.notes![0]!,
      "daybook: only analyzed, for it was created without auto_vacuum=INCREMENTAL",
    );
  }));
