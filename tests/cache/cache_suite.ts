/**
 * What every cache promises, run against each implementation.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ClosableCache } from "../../src/cache/closable_cache.ts";
import type { Json } from "../../src/handlers/handler.ts";

/** A fresh, empty cache and a way to let time pass for it. */
export interface CacheUnderTest extends AsyncDisposable {
  readonly cache: ClosableCache;
  /** Comes back when an entry stored with {@linkcode SHORT_TTL_SECONDS} is over. */
  untilExpired(key: string): Promise<void>;
}

export const SHORT_TTL_SECONDS = 0.05;

export interface CacheSuite {
  /** The implementation's name, the first word of each title. */
  readonly name: string;
  open(): Promise<CacheUnderTest>;
  /** Why these tests cannot run here; `undefined` when they can. */
  readonly skipped?: string | undefined;
}

/** Declares the suite's tests for one implementation. */
export function testCache({ name, open, skipped }: CacheSuite): void {
  const test = (promise: string, check: (under: CacheUnderTest) => Promise<void>) =>
    Deno.test({
      name: `${name} ${promise}${skipped === undefined ? "" : ` [skipped: ${skipped}]`}`,
      ignore: skipped !== undefined,
      async fn() {
        await using under = await open();
        await check(under);
      },
    });

  test("gives back every kind of JSON as it was stored", async ({ cache }) => {
    const values: Json[] = [null, true, 0, -1.5, "", "Grüße 東京 🚀", [], {}, { a: [1, { b: null }] }];
    for (const [index, value] of values.entries()) await cache.set(`k${index}`, value);
    for (const [index, value] of values.entries()) assertEquals(await cache.get(`k${index}`), value);
  });

  test("has nothing under a key that was never stored", async ({ cache }) => {
    assertEquals(await cache.get("absent"), undefined);
    assertEquals(await cache.delete("absent"), false);
  });

  test("deletes an entry once", async ({ cache }) => {
    await cache.set("k", 1);
    assertEquals([await cache.delete("k"), await cache.delete("k")], [true, false]);
    assertEquals(await cache.get("k"), undefined);
  });

  test("forgets an entry when its time to live is over", async (under) => {
    await under.cache.set("k", 1, { ttlSeconds: SHORT_TTL_SECONDS });
    await under.cache.set("long", 1, { ttlSeconds: 3600 });
    await under.untilExpired("k");
    assertEquals(await under.cache.get("k"), undefined);
    assertEquals(await under.cache.delete("k"), false);
    assertEquals(await under.cache.get("long"), 1);
  });

  test("replaces an entry together with its time to live", async (under) => {
    const { cache } = under;
    await cache.set("k", 1, { ttlSeconds: SHORT_TTL_SECONDS });
    await cache.set("k", 2);
    await cache.set("other", 1, { ttlSeconds: SHORT_TTL_SECONDS });
    await under.untilExpired("other");
    assertEquals(await cache.get("k"), 2);
    await cache.set("k", 3, { ttlSeconds: SHORT_TTL_SECONDS });
    await under.untilExpired("k");
    assertEquals(await cache.get("k"), undefined);
  });

  test("takes keys of up to 512 characters in any script", async ({ cache }) => {
    for (const key of ["東".repeat(512), "🚀".repeat(256), "\0".repeat(512), "a b\r\n*?[x]\\"]) {
      await cache.set(key, key.length, { ttlSeconds: 3600 });
      assertEquals(await cache.get(key), key.length);
    }
    assertEquals((await cache.flush({ all: true })).items, 4);
  });

  test("refuses a key that is empty, too long or no Unicode", async ({ cache }) => {
    for (const key of ["", "x".repeat(513)]) {
      await assertRejects(() => cache.get(key), RangeError, "1 to 512 characters");
      await assertRejects(() => cache.set(key, 1), RangeError, "1 to 512 characters");
      await assertRejects(() => cache.delete(key), RangeError, "1 to 512 characters");
    }
    await assertRejects(() => cache.set("\ud800", 1), TypeError, "well-formed");
  });

  test("takes values of up to 60 KiB of JSON and refuses larger ones", async ({ cache }) => {
    const largest = "é".repeat(30 * 1024 - 1);
    await cache.set("東".repeat(512), largest, { ttlSeconds: 3600 });
    assertEquals(await cache.get("東".repeat(512)), largest);
    await assertRejects(
      () => cache.set("k", largest + "é"),
      RangeError,
      "at most 61440 bytes of JSON, not 61442",
    );
    await assertRejects(() => cache.set("k", undefined as unknown as Json), TypeError, "must be JSON");
    assertEquals(await cache.get("k"), undefined);
  });

  test("refuses a time to live that is not above 0", async ({ cache }) => {
    for (const ttlSeconds of [0, -1, NaN, Infinity]) {
      await assertRejects(() => cache.set("k", 1, { ttlSeconds }), RangeError, "ttlSeconds must be above 0");
    }
    await cache.set("k", 1, { ttlSeconds: 1e10 });
    assertEquals(await cache.get("k"), 1);
  });

  test("flush removes everything, says how much, and finds nothing the next time", async ({ cache }) => {
    for (let n = 0; n < 3; n++) {
      await cache.set(`k${n}`, "x".repeat(1000), n === 0 ? { ttlSeconds: 3600 } : {});
    }
    const { items, bytes } = await cache.flush({ all: true });
    assertEquals(items, 3);
    assert(bytes >= 3000 && bytes < 12_000, `${bytes} bytes`);
    assertEquals(await cache.get("k1"), undefined);
    assertEquals(await cache.flush({ all: true }), { items: 0, bytes: 0 });
  });

  test("flush removes more entries than one commit or batch holds", async ({ cache }) => {
    const keys = Array.from({ length: 1201 }, (_, n) => `k${n}`);
    for (let from = 0; from < keys.length; from += 200) {
      await Promise.all(keys.slice(from, from + 200).map((key) => cache.set(key, 1, { ttlSeconds: 3600 })));
    }
    assertEquals((await cache.flush({ all: false, pattern: "k1*" })).items, 312);
    assertEquals((await cache.flush({ all: true })).items, 889);
  });

  test("flush without all and without a pattern leaves what is not expired", async ({ cache }) => {
    await cache.set("k", 1);
    await cache.set("l", 1, { ttlSeconds: 3600 });
    assertEquals(await cache.flush({ all: false }), { items: 0, bytes: 0 });
    assertEquals([await cache.get("k"), await cache.get("l")], [1, 1]);
  });

  test("flush removes the entries whose whole key matches the pattern", async ({ cache }) => {
    const cases: [pattern: string, removed: string[]][] = [
      ["user:*", ["user:1", "user:22", "user:é"]],
      ["user:?", ["user:1", "user:é"]],
      ["*2*", ["user:22"]],
      ["*", ["user:1", "user:22", "user:é", "[ab]", "a", "a*b", "a\\b", "-^"]],
      ["[ab]", ["[ab]"]],
      ["a\\b", ["a\\b"]],
      ["a?b", ["a*b", "a\\b"]],
      ["-^", ["-^"]],
      ["**b**", ["[ab]", "a*b", "a\\b"]],
      ["user", []],
      ["ser:1", []],
    ];
    const keys = cases[3]![1];
    for (const [pattern, removed] of cases) {
      for (const key of keys) await cache.set(key, key);
      assertEquals((await cache.flush({ all: false, pattern })).items, removed.length, pattern);
      for (const key of keys) {
        assertEquals(await cache.get(key), removed.includes(key) ? undefined : key, `${pattern} ${key}`);
      }
    }
  });

  test("flush refuses a pattern that is empty or over 512 characters", async ({ cache }) => {
    for (const pattern of ["", "*".repeat(513)]) {
      await assertRejects(() => cache.flush({ all: false, pattern }), RangeError, "1 to 512 characters");
    }
  });

  test("flush removes nothing when its signal has fired", async ({ cache }) => {
    await cache.set("k", 1);
    const reason = new Error("cancelled");
    const rejected = await assertRejects(() => cache.flush({ all: true }, AbortSignal.abort(reason)), Error);
    assertEquals(rejected, reason);
    assertEquals(await cache.get("k"), 1);
  });

  test("flush lets others read and write meanwhile, and loses nothing written after it", async ({ cache }) => {
    await Promise.all(Array.from({ length: 300 }, (_, n) => cache.set(`old${n}`, n, { ttlSeconds: 3600 })));
    const flushing = cache.flush({ all: true });
    const writing = Array.from(
      { length: 100 },
      (_, n) => cache.set(`old${n * 3}`, "new", n % 2 === 0 ? {} : { ttlSeconds: 3600 }),
    );
    const [{ items }] = await Promise.all([flushing, ...writing]);
    assert(items >= 200, `${items} removed`);
    for (let n = 0; n < 300; n++) {
      const value = await cache.get(`old${n}`);
      assert(value === undefined || (value === "new" && n % 3 === 0), `old${n} is ${JSON.stringify(value)}`);
    }
    await cache.set("after", 1);
    assertEquals(await cache.get("after"), 1);
  });

  test("closes more than once without harm", async ({ cache }) => {
    await cache.set("k", 1);
    await cache.close();
    await cache.close();
  });
}
