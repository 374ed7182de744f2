import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { openCache } from "../../src/cache/open_cache.ts";
import { parseRedisUrl } from "../../src/cache/redis_url.ts";

Deno.test("openCache() opens the embedded cache when there is no address", async () => {
  await using cache = await openCache(undefined, ":memory:");
  await cache.set("k", 1);
  assertEquals(await cache.get("k"), 1);
});

Deno.test("openCache() opens Redis by its address, without asking it anything yet", async () => {
  await using cache = await openCache("redis://127.0.0.1:1/", "/nonexistent/cache.kv");
  await assertRejects(() => cache.get("k"), Error, "Redis at 127.0.0.1:1 cannot be reached: ");
});

Deno.test("openCache() refuses another kind of address", async () => {
  await assertRejects(() => openCache("http://x.example", ":memory:"), TypeError, "not a Redis address");
});

Deno.test("parseRedisUrl() reads host, port, database, prefix and login, with defaults", () => {
  assertEquals(parseRedisUrl("redis://cache"), {
    host: "cache",
    port: 6379,
    db: 0,
    prefix: "daybook:",
    tls: false,
  });
  assertEquals(parseRedisUrl("rediss://u%40x:p%2Fw@[::1]:7000/3?prefix=my%20app:"), {
    host: "::1",
    port: 7000,
    db: 3,
    prefix: "my app:",
    tls: true,
    username: "u@x",
    password: "p/w",
  });
});

Deno.test("parseRedisUrl() refuses what it does not understand and never quotes it", () => {
  const refused = [
    "secret",
    "redis://",
    "redis://:secret@h/abc",
    "redis://:secret@h/1/2",
    "redis://:secret@h/0?prefix=",
    `redis://:secret@h/0?prefix=${"x".repeat(129)}`,
    "redis://:secret@h/0?db=1",
    "redis://:%E0%A4%A-secret@h",
    "http://:secret@h",
  ];
  for (const url of refused) {
    const error = assertThrows(() => parseRedisUrl(url), TypeError);
    assertEquals(error.message.includes("secret"), false, error.message);
  }
});
