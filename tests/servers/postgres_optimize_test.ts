/**
 * `db_optimize` against a real PostgreSQL server, started on a free loopback port with a data folder of its own.
 *
 * @module
 */
import { assert, assertEquals, assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import postgres from "postgres";
import type { DatabaseTarget } from "../../src/handlers/handler.ts";
import { optimize } from "../handlers/db_optimize/support.ts";
import { PostgresServer, whyNoPostgres } from "../handlers/db_optimize/postgres_server.ts";

const skipped = await whyNoPostgres();
const title = (promise: string) => skipped ? `${promise} [skipped: ${skipped}]` : promise;

function target(url: string): DatabaseTarget {
  return { name: "localhost/shop", kind: "postgres", url };
}

async function withServer(test: (server: PostgresServer, sql: postgres.Sql) => Promise<void>): Promise<void> {
  await using server = await PostgresServer.start();
  const sql = postgres(server.url(), { max: 2, onnotice: () => {} });
  try {
    await test(server, sql);
  } finally {
    await sql.end();
  }
}

/** A table that has lost 95 of 100 rows, the last ones among them, and was never vacuumed. */
async function bloat(sql: postgres.Sql, table: string): Promise<void> {
  await sql.unsafe(`CREATE TABLE ${table} (id int PRIMARY KEY, body text) WITH (autovacuum_enabled = false)`);
  await sql.unsafe(
    `INSERT INTO ${table} SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 10000) i`,
  );
  await sql.unsafe(`DELETE FROM ${table} WHERE id > 500`);
}

async function deadTuples(sql: postgres.Sql): Promise<number> {
  await sql`CREATE EXTENSION IF NOT EXISTS pgstattuple`;
  const [row] = await sql`SELECT dead_tuple_count::int AS dead FROM pgstattuple('orders')`;
  return row!["dead"];
}

Deno.test({
  name: title(
    "db_optimize vacuums and analyzes the tables of a PostgreSQL database, and measures what that freed",
  ),
  ignore: skipped !== undefined,
  fn: () =>
    withServer(async (server, sql) => {
      await bloat(sql, "orders");
      await sql`CREATE SCHEMA "Odd ""one"`;
      await bloat(sql, `"Odd ""one"."t.a""b"`);
      await sql`CREATE MATERIALIZED VIEW few AS SELECT * FROM orders LIMIT 5`;
      await sql`CREATE VIEW many AS SELECT * FROM orders`;
      const size = async () =>
        Number((await sql`SELECT pg_total_relation_size('orders') AS size`)[0]!["size"]);
      assertEquals(await deadTuples(sql), 9_500);
      const before = await size();

      const attempt = optimize([target(server.url())]);
      const result = await attempt.result;

      assertEquals(await deadTuples(sql), 0);
      assertEquals((await sql`SELECT count(*)::int AS n FROM orders`)[0]!["n"], 500);
      assertEquals(
        Number((await sql`SELECT reltuples FROM pg_class WHERE relname = 'orders'`)[0]!["reltuples"]),
        500,
      );
      const shrunk = (before - await size()) / 1e6;
      assert(shrunk > 5, `${shrunk} MB`);
      assert(
        result.space_freed_mb > 1.9 * shrunk && result.space_freed_mb < 2.1 * shrunk,
        `${result.space_freed_mb}`,
      );
      assertEquals([result.tables_analyzed, result.tables_optimized], [3, 3]);
      assertEquals(result.notes, undefined);
      assert(
        attempt.progress.includes('0 % localhost/shop: VACUUM Odd "one.t.a"b'),
        attempt.progress.join("\n"),
      );
      assertEquals(attempt.progress.at(-1), "100 % 1 optimized");

      const again = await optimize([target(server.url())]).result;
      assertEquals(again.space_freed_mb, 0);
    }),
});

Deno.test({
  name: title("db_optimize notes PostgreSQL tables that its user may not vacuum, and counts them nowhere"),
  ignore: skipped !== undefined,
  fn: () =>
    withServer(async (server, sql) => {
      await bloat(sql, "orders");
      await sql`CREATE ROLE clerk LOGIN PASSWORD 'hidden'`;
      await sql`GRANT ALL ON SCHEMA public TO clerk`;
      const clerk = postgres(server.url("clerk:hidden"), { max: 1 });
      await clerk`CREATE TABLE own (a int)`;
      await clerk.end();

      const attempt = optimize([target(server.url("clerk:hidden"))]);
      const result = await attempt.result;

      assertEquals([result.tables_analyzed, result.tables_optimized, result.space_freed_mb], [1, 1, 0]);
      assertEquals(result.notes?.length, 1);
      assertStringIncludes(result.notes![0]!, "localhost/shop: table public.orders was not vacuumed");
      assertEquals(attempt.logged, [`WARNING ${result.notes![0]}`]);
      assertEquals(await deadTuples(sql), 9_500);
    }),
});

Deno.test({
  name: title("db_optimize cancels the PostgreSQL statement that runs when its signal fires"),
  ignore: skipped !== undefined,
  fn: () =>
    withServer(async (server, sql) => {
      await bloat(sql, "orders");
      const waiting = () =>
        sql`SELECT pid FROM pg_stat_activity WHERE application_name = 'daybook db_optimize' AND wait_event_type = 'Lock'`;
      await sql.begin(async (transaction) => {
        await transaction`LOCK TABLE orders IN ACCESS EXCLUSIVE MODE`;
        const aborting = new AbortController();
        const attempt = optimize([target(server.url())], { signal: aborting.signal });
        await until(async () => (await waiting()).length === 1);
        const reason = new Error("enough");
        aborting.abort(reason);
        assertEquals(await assertRejects(() => attempt.result), reason);
        await until(async () => (await waiting()).length === 0);
      });
      assertEquals(await deadTuples(sql), 9_500);
    }),
});

Deno.test({
  name: title("db_optimize names the PostgreSQL database that refuses it, and never the password"),
  ignore: skipped !== undefined,
  fn: () =>
    withServer(async (server) => {
      const error = await assertRejects(() => optimize([target(server.url("nobody:hidden"))]).result, Error);
      assertStringIncludes(error.message, "Cannot optimize 'localhost/shop': ");
      assertStringIncludes(error.message, 'password authentication failed for user "nobody"');
      assertFalse(error.message.includes("hidden"));
    }),
});

Deno.test("db_optimize says that a PostgreSQL server cannot be reached", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await assertRejects(
    () => optimize([target(`postgres://ann:hidden@127.0.0.1:${port}/shop`)]).result,
    Error,
  );
  assertStringIncludes(error.message, "Cannot optimize 'localhost/shop': ");
  assertStringIncludes(error.message, "ECONNREFUSED");
  assertFalse(error.message.includes("hidden"));
});

/** Another session's state can only be looked at. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!await condition()) {
    assert(performance.now() < deadline, "the condition did not come true in 20 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
