/**
 * The Redis cache against a real `redis-server`, started on a free loopback port in a folder of its own.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Redis } from "ioredis";
import { openRedisCache } from "../../src/cache/redis_cache.ts";
import { cacheFlush } from "../../src/handlers/cache_flush.ts";
import { testCache } from "../cache/cache_suite.ts";
import type { CacheUnderTest } from "../cache/cache_suite.ts";
import { flushContext } from "../handlers/cache_flush/support.ts";

const skipped = await runs("redis-server") ? undefined : "there is no redis-server on the PATH";
const PASSWORD = "s3cr3t-pass";
const START_DEADLINE_MS = 20_000;

async function runs(command: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["--version"], stdout: "null", stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

class RedisServer implements AsyncDisposable {
  #process: Deno.ChildProcess | undefined;

  private constructor(readonly port: number, private readonly dir: string) {}

  static async start(): Promise<RedisServer> {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const server = new RedisServer(listener.addr.port, await Deno.makeTempDir({ prefix: "daybook_redis_" }));
    listener.close();
    await server.begin();
    return server;
  }

  url(query = ""): string {
    return `redis://:${PASSWORD}@127.0.0.1:${this.port}/1${query}`;
  }

  /** A client that sees all keys of the database. */
  client(): Redis & AsyncDisposable {
    const client = new Redis({ host: "127.0.0.1", port: this.port, password: PASSWORD, db: 1 });
    return Object.assign(client, {
      [Symbol.asyncDispose]: async () => void await client.quit(),
    }) as Redis & AsyncDisposable;
  }

  async begin(): Promise<void> {
    this.#process = new Deno.Command("redis-server", {
      args: [
        ...["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.dir],
        ...["--save", "", "--appendonly", "no", "--requirepass", PASSWORD],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const deadline = Date.now() + START_DEADLINE_MS;
    while (Date.now() < deadline) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    throw new Error(`redis-server did not listen on port ${this.port}`);
  }

  async stop(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.dir, { recursive: true });
  }
}

function redisTest(name: string, fn: (server: RedisServer) => Promise<void>): void {
  Deno.test({
    name: skipped === undefined ? name : `${name} [skipped: ${skipped}]`,
    ignore: skipped !== undefined,
    async fn() {
      await using server = await RedisServer.start();
      await fn(server);
    },
  });
}

testCache({
  name: "the Redis cache",
  skipped,
  async open(): Promise<CacheUnderTest> {
    const server = await RedisServer.start();
    const cache = await openRedisCache(server.url());
    return {
      cache,
      async untilExpired(key) {
        const deadline = Date.now() + 5_000;
        while (await cache.get(key) !== undefined && Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      },
      async [Symbol.asyncDispose]() {
        await cache.close();
        await server[Symbol.asyncDispose]();
      },
    };
  },
});

redisTest("the Redis cache never touches keys outside its prefix or in another database", async (server) => {
  await using client = server.client();
  // The first would match the prefix if Redis read its [ as a pattern.
  const foreign = ["a1:k", "a[1]", "other", "k", "a[1]x:k"];
  for (const key of foreign) await client.set(key, "foreign");
  await client.select(0);
  await client.set("a[1]:k", "other database");
  await client.select(1);
  await using cache = await openRedisCache(server.url("?prefix=a[1]:"));
  for (let n = 0; n < 700; n++) await cache.set(`k${n}`, n);
  assertEquals((await cache.flush({ all: false, pattern: "*9" })).items, 70);
  assertEquals((await cache.flush({ all: true })).items, 630);
  assertEquals((await client.keys("*")).sort(), foreign.sort());
  await client.select(0);
  assertEquals(await client.get("a[1]:k"), "other database");
});

redisTest("the Redis cache keeps to the prefix daybook: and lets Redis keep the time", async (server) => {
  await using client = server.client();
  await using cache = await openRedisCache(server.url());
  await cache.set("k", { a: 1 }, { ttlSeconds: 100 });
  await cache.set("l", 1);
  assertEquals((await client.keys("*")).sort(), ["daybook:k", "daybook:l"]);
  assertEquals(await client.get("daybook:k"), '{"a":1}');
  const left = await client.pttl("daybook:k");
  assert(left > 50_000 && left <= 100_000, `${left} ms`);
  assertEquals(await client.pttl("daybook:l"), -1);
});

redisTest("the Redis cache reports the server's own figure of what a flush freed", async (server) => {
  await using client = server.client();
  await using cache = await openRedisCache(server.url());
  await cache.set("k", "x".repeat(5000));
  await cache.set("l", 1);
  const expected = Number(await client.memory("USAGE", "daybook:k")) +
    Number(await client.memory("USAGE", "daybook:l"));
  assertEquals(await cache.flush({ all: true }), { items: 2, bytes: expected });
});

redisTest("the Redis cache refuses to read what something else wrote under its prefix", async (server) => {
  await using client = server.client();
  await using cache = await openRedisCache(server.url());
  await client.set("daybook:k", "not json");
  await client.lpush("daybook:l", "1");
  await assertRejects(() => cache.get("k"), TypeError, "is not JSON");
  await assertRejects(() => cache.get("l"), Error, "refused: WRONGTYPE");
  assertEquals((await cache.flush({ all: true })).items, 2);
});

redisTest(
  "the Redis cache fails soon and clearly while the server is away, and works when it is back",
  async (server) => {
    await using cache = await openRedisCache(server.url());
    await cache.set("k", 1);
    await server.stop();
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await assertRejects(() => cache.get("k"), Error, `Redis at 127.0.0.1:${server.port}`);
      assertStringIncludes(error.message, "cannot be reached");
      assertEquals(JSON.stringify(error, Object.getOwnPropertyNames(error)).includes(PASSWORD), false);
    }
    await Promise.all(
      [1, 2, 3].map((n) => assertRejects(() => cache.set(`k${n}`, n), Error, "cannot be reached")),
    );
    await server.begin();
    await Promise.all([1, 2, 3].map((n) => cache.set(`k${n}`, n)));
    assertEquals(await cache.get("k2"), 2);
  },
);

redisTest("the Redis cache shows no password when the server refuses it", async (server) => {
  await using cache = await openRedisCache(`redis://:wrong-password@127.0.0.1:${server.port}`);
  const error = await assertRejects(() => cache.get("k"), Error, "WRONGPASS");
  assertEquals(JSON.stringify(error, Object.getOwnPropertyNames(error)).includes("wrong-password"), false);
});

redisTest(
  "cacheFlush empties Redis, and leaves a server that is away to the job's retries",
  async (server) => {
    await using cache = await openRedisCache(server.url());
    await cache.set("k", "x".repeat(1000));
    const result = await cacheFlush.run({ action: "full" }, flushContext(cache));
    assertEquals(result.items_cleared, 1);
    assert(result.memory_freed_mb >= 0.001);
    await server.stop();
    const error = await assertRejects(
      async () => await cacheFlush.run({ action: "full" }, flushContext(cache)),
      Error,
    );
    assertEquals(error.name, "Error");
    assertEquals((error as { retryable?: boolean }).retryable, undefined);
  },
);
