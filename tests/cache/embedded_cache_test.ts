import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { openEmbeddedCache } from "../../src/cache/embedded_cache.ts";
import type { ClosableCache } from "../../src/cache/closable_cache.ts";
import { testCache } from "./cache_suite.ts";

class EmbeddedUnderTest implements AsyncDisposable {
  private constructor(
    readonly dir: string,
    readonly cache: ClosableCache,
    private readonly clock: { ms: number },
  ) {}

  static async open(): Promise<EmbeddedUnderTest> {
    const dir = await Deno.makeTempDir({ prefix: "daybook_cache_" });
    const clock = { ms: Date.parse("2026-01-07T10:15:32Z") };
    const cache = await openEmbeddedCache(join(dir, "new", "cache.kv"), { now: () => new Date(clock.ms) });
    return new EmbeddedUnderTest(dir, cache, clock);
  }

  get path(): string {
    return join(this.dir, "new", "cache.kv");
  }

  advance(seconds: number): void {
    this.clock.ms += seconds * 1000;
  }

  untilExpired(): Promise<void> {
    this.advance(1);
    return Promise.resolve();
  }

  /** Closes the cache and checks that entries and the index by expiry say the same; answers the keys left. */
  async keysLeft(): Promise<string[]> {
    await this.cache.close();
    using kv = await Deno.openKv(this.path);
    const left: string[] = [];
    const expiring: string[] = [];
    for await (const { key, value } of kv.list<{ expiresAt: number | null }>({ prefix: ["c"] })) {
      left.push(key[1] as string);
      if (value.expiresAt !== null) expiring.push(`${value.expiresAt} ${key[1] as string}`);
    }
    const indexed = (await Array.fromAsync(kv.list({ prefix: ["x"] }))).map(({ key }) =>
      `${key[1] as number} ${key[2] as string}`
    );
    assertEquals(indexed.sort(), expiring.sort());
    return left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cache.close();
    await Deno.remove(this.dir, { recursive: true });
  }
}

testCache({ name: "the embedded cache", open: () => EmbeddedUnderTest.open() });

Deno.test("the embedded cache keeps its entries over a restart", async () => {
  await using under = await EmbeddedUnderTest.open();
  await under.cache.set("k", { a: 1 }, { ttlSeconds: 3600 });
  await under.cache.close();
  await using again = await openEmbeddedCache(under.path, { now: () => new Date("2026-01-07T10:15:33Z") });
  assertEquals(await again.get("k"), { a: 1 });
});

Deno.test("the embedded cache ends an entry at the very millisecond of its expiry", async () => {
  await using under = await EmbeddedUnderTest.open();
  await under.cache.set("k", 1, { ttlSeconds: 10 });
  under.advance(9.999);
  assertEquals(await under.cache.get("k"), 1);
  assertEquals((await under.cache.flush({ all: false })).items, 0);
  under.advance(0.001);
  assertEquals(await under.cache.get("k"), undefined);
  assertEquals((await under.cache.flush({ all: false })).items, 1);
});

Deno.test("the embedded cache's flush removes and measures what is expired", async () => {
  await using under = await EmbeddedUnderTest.open();
  for (let n = 0; n < 25; n++) await under.cache.set(`old${n}`, "xx", { ttlSeconds: 1 });
  await under.cache.set("young", "x", { ttlSeconds: 3600 });
  await under.cache.set("eternal", "x");
  under.advance(2);
  // Keys of 4 and 5 bytes, values of 4 bytes with their quotes.
  assertEquals(await under.cache.flush({ all: false }), { items: 25, bytes: 10 * 4 + 15 * 5 + 25 * 4 });
  assertEquals((await under.keysLeft()).sort(), ["eternal", "young"]);
});

Deno.test("the embedded cache's flush with a pattern removes the expired ones too, each counted once", async () => {
  await using under = await EmbeddedUnderTest.open();
  await under.cache.set("a:old", 1, { ttlSeconds: 1 });
  await under.cache.set("b:old", 1, { ttlSeconds: 1 });
  await under.cache.set("a:young", 1);
  await under.cache.set("b:young", 1);
  under.advance(2);
  assertEquals((await under.cache.flush({ all: false, pattern: "a:*" })).items, 3);
  assertEquals(await under.keysLeft(), ["b:young"]);
});

Deno.test("the embedded cache keeps its index whole when entries are replaced and deleted", async () => {
  await using under = await EmbeddedUnderTest.open();
  const { cache } = under;
  await cache.set("k", 1, { ttlSeconds: 10 });
  await cache.set("k", 2, { ttlSeconds: 10 });
  await cache.set("k", 3, { ttlSeconds: 20 });
  await cache.set("l", 1, { ttlSeconds: 10 });
  await cache.set("l", 1);
  await cache.set("m", 1, { ttlSeconds: 10 });
  await cache.delete("m");
  under.advance(15);
  assertEquals(await cache.flush({ all: false }), { items: 0, bytes: 0 });
  assertEquals(await under.keysLeft(), ["k", "l"]);
});

Deno.test("the embedded cache keeps its index whole when writes of one key race each other and a flush", async () => {
  await using under = await EmbeddedUnderTest.open();
  const { cache } = under;
  const work: Promise<unknown>[] = [];
  for (let round = 0; round < 20; round++) {
    for (const key of ["a", "b", "c"]) {
      work.push(cache.set(key, round, round % 2 === 0 ? {} : { ttlSeconds: round }));
      if (round % 3 === 0) work.push(cache.delete(key));
    }
    if (round % 5 === 0) work.push(cache.flush({ all: true }));
  }
  await Promise.all(work);
  await under.keysLeft();
});

Deno.test("the embedded cache's flush removes the longest keys there can be", async () => {
  await using under = await EmbeddedUnderTest.open();
  for (let n = 0; n < 100; n++) {
    const tail = String(n).padStart(3, "0");
    await under.cache.set((n % 2 === 0 ? "\0" : "東").repeat(509) + tail, 1, { ttlSeconds: 1 });
  }
  under.advance(2);
  assertEquals((await under.cache.flush({ all: false })).items, 100);
  assertEquals(await under.keysLeft(), []);
});

Deno.test("the embedded cache's flush that is cut off leaves whole entries, and the next one ends the work", async () => {
  await using under = await EmbeddedUnderTest.open();
  const { cache } = under;
  await Promise.all(Array.from({ length: 350 }, (_, n) => cache.set(`k${n}`, 1, { ttlSeconds: 3600 })));
  let looks = 0;
  const cut = {
    throwIfAborted() {
      if (++looks === 3) throw new Error("cut off");
    },
  } as AbortSignal;
  await assertRejects(() => cache.flush({ all: true }, cut), Error, "cut off");
  const left = await under.keysLeft();
  assertEquals(left.length, 150);
  await using again = await openEmbeddedCache(under.path);
  assertEquals((await again.flush({ all: true })).items, 150);
});

Deno.test("the embedded cache's flush keeps its signal in view while nothing matches", async () => {
  await using under = await EmbeddedUnderTest.open();
  await Promise.all(Array.from({ length: 250 }, (_, n) => under.cache.set(`k${n}`, 1)));
  let looks = 0;
  const watched = { throwIfAborted: () => void looks++ } as AbortSignal;
  await under.cache.flush({ all: false, pattern: "nothing*" }, watched);
  assert(looks >= 3, `${looks} looks`);
});
