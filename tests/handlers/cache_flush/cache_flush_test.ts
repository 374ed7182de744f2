import { assert, assertEquals, assertRejects } from "@std/assert";
import { openEmbeddedCache } from "../../../src/cache/embedded_cache.ts";
import { cacheFlush } from "../../../src/handlers/cache_flush.ts";
import type { CacheFlushPayload } from "../../../src/handlers/cache_flush.ts";
import { flushContext } from "./support.ts";

const { payloadSchema } = cacheFlush;

function issueOf(payload: unknown): { path: string; message: string } {
  const parsed = payloadSchema.safeParse(payload);
  assert(!parsed.success, "the payload was taken");
  const issue = parsed.error.issues[0]!;
  return { path: "/" + issue.path.join("/"), message: issue.message };
}

Deno.test("cacheFlush empties the whole cache unless told otherwise, and reports what it measured", async () => {
  await using cache = await openEmbeddedCache(":memory:");
  await cache.set("a", "x".repeat(997));
  await cache.set("b", "x".repeat(997));
  const result = await cacheFlush.run({} as CacheFlushPayload, flushContext(cache));
  const { duration_ms, ...rest } = result;
  assertEquals(rest, { status: "success", action: "full", items_cleared: 2, memory_freed_mb: 0.002 });
  assert(duration_ms > 0);
  assertEquals(await cache.get("a"), undefined);
});

Deno.test("cacheFlush reports zeros when there is nothing to do", async () => {
  await using cache = await openEmbeddedCache(":memory:");
  const result = await cacheFlush.run({ action: "full" }, flushContext(cache));
  assertEquals([result.items_cleared, result.memory_freed_mb], [0, 0]);
});

Deno.test("cacheFlush partial clears what is expired, and what matches a pattern", async () => {
  let now = 0;
  await using cache = await openEmbeddedCache(":memory:", { now: () => new Date(now) });
  await cache.set("old", 1, { ttlSeconds: 1 });
  await cache.set("user:1", 1);
  await cache.set("page:1", 1);
  now = 2000;
  const expired = await cacheFlush.run({ action: "partial" }, flushContext(cache));
  assertEquals([expired.action, expired.items_cleared], ["partial", 1]);
  const matching = await cacheFlush.run({ action: "partial", pattern: "user:*" }, flushContext(cache));
  assertEquals(matching.items_cleared, 1);
  assertEquals([await cache.get("user:1"), await cache.get("page:1")], [undefined, 1]);
});

Deno.test("cacheFlush takes full, partial and a pattern with partial, and fills in full", () => {
  assertEquals(payloadSchema.parse({}), { action: "full" });
  assertEquals(payloadSchema.parse({ action: "partial", pattern: "*" }), { action: "partial", pattern: "*" });
});

Deno.test("cacheFlush refuses a pattern with full, where it would be passed over", () => {
  for (const payload of [{ pattern: "user:*" }, { action: "full", pattern: "user:*" }]) {
    assertEquals(issueOf(payload), {
      path: "/pattern",
      message: "pattern is for action 'partial' only: 'full' removes every entry",
    });
  }
});

Deno.test("cacheFlush refuses another action, a bad pattern and unknown fields", () => {
  assertEquals(issueOf({ action: "some" }).path, "/action");
  for (const pattern of ["", "x".repeat(513), 5]) {
    assertEquals(issueOf({ action: "partial", pattern }).path, "/pattern");
  }
  assert(issueOf({ all: true }).message.includes("all"));
});

Deno.test("cacheFlush checks its payload once more before it removes anything", async () => {
  await using cache = await openEmbeddedCache(":memory:");
  await cache.set("k", 1);
  const payload = { action: "full", pattern: "x*" } as CacheFlushPayload;
  await assertRejects(
    async () => await cacheFlush.run(payload, flushContext(cache)),
    TypeError,
    "pattern is for",
  );
  assertEquals(await cache.get("k"), 1);
});

Deno.test("cacheFlush stops with the signal's reason", async () => {
  await using cache = await openEmbeddedCache(":memory:");
  await cache.set("k", 1);
  const reason = new Error("cancelled");
  const rejected = await assertRejects(
    async () => await cacheFlush.run({ action: "full" }, flushContext(cache, AbortSignal.abort(reason))),
    Error,
  );
  assertEquals(rejected, reason);
  assertEquals(await cache.get("k"), 1);
});
