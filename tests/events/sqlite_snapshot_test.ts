/**
 * The snapshot reads what Deno KV wrote, as Deno KV reads it. Files are closed by Deno KV before SQLite opens them, or
 * are another process's.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { DatabaseSync } from "node:sqlite";
import { encodeHead, headKey } from "../../src/events/head.ts";
import { KvStore } from "../../src/events/kv_store.ts";
import { compareKeys } from "../../src/events/memory_store.ts";
import { SnapshotError, SqliteSnapshot } from "../../src/events/sqlite_snapshot.ts";
import type { Store, StoreEntry, StoreKey, StoreRange } from "../../src/events/store.ts";

const HEAD: StoreEntry = {
  key: headKey(0),
  value: encodeHead({ log_id: "log", epoch: 1, position: 0, batch_id: "b", time: 0, partitions: 1 }),
};

const AWKWARD = [
  "",
  "b",
  "ab",
  "a\0",
  "a\0b",
  "\0",
  "\0\0",
  "é",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "𐀀",
  "😀a",
  "é\0",
];
const part = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<string | number>("a", "😀", 1) },
  fc.constantFrom(...AWKWARD),
  fc.constantFrom(0, -0, 1, 2, 10, -1, 0.5, -0.5, 1e300, -1e300, Infinity, -Infinity, 2 ** 53, 5e-324),
  fc.string({ unit: "binary", maxLength: 3 }),
  fc.double({ noNaN: true }),
);
const key: fc.Arbitrary<StoreKey> = fc.array(part, { minLength: 1, maxLength: 3 });
const prefix: fc.Arbitrary<StoreKey> = fc.array(part, { maxLength: 2 });
const entry = fc.record({ key, value: fc.uint8Array({ maxLength: 4 }) });

const range: fc.Arbitrary<StoreRange> = fc.record({
  prefix,
  bounds: fc.tuple(key, key),
  has: fc.constantFrom("neither", "start", "end", "both"),
}).map(({ prefix, bounds, has }) => {
  const [start, end] = bounds.map((suffix) => [...prefix, ...suffix]).sort(compareKeys);
  if (has === "start") return { prefix, start: start! };
  if (has === "end") return { prefix, end: end! };
  return has === "both" ? { prefix, start: start!, end: end! } : { prefix };
});
const question = fc.record({
  range,
  limit: fc.constantFrom(1, 2, 5, 1000, Number.MAX_SAFE_INTEGER),
  reverse: fc.boolean(),
});

async function withFile(test: (path: string) => void | Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(`${dir}/daybook.kv`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Writes by Deno KV, asks it, and closes it. */
async function throughKv<T>(path: string, puts: readonly StoreEntry[], ask: (store: Store) => Promise<T>) {
  const store = new KvStore(await Deno.openKv(path));
  try {
    for (let i = 0; i < puts.length; i += 500) {
      const check = { key: ["none"], versionstamp: null };
      await store.commit({ check, puts: puts.slice(i, i + 500), deletes: [] });
    }
    return await ask(store);
  } finally {
    store.close();
  }
}

async function throughSnapshot<T>(path: string, ask: (store: SqliteSnapshot) => Promise<T>): Promise<T> {
  const snapshot = SqliteSnapshot.open(path);
  try {
    return await ask(snapshot);
  } finally {
    snapshot.close();
  }
}

Deno.test("SqliteSnapshot answers every read and list as Deno KV does", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { minLength: 1, maxLength: 30 }),
      fc.array(question, { minLength: 1, maxLength: 10 }),
      fc.array(key, { maxLength: 5 }),
      async (entries, questions, strangers) => {
        await withFile(async (path) => {
          const keys = [...entries.map(({ key }) => key), ...strangers];
          const ask = async (store: Store) => ({
            lists: await Promise.all(questions.map(({ range, ...options }) => store.list(range, options))),
            all: await store.list({ prefix: [] }, { limit: 1000 }),
            one: await store.get(keys[0]!),
            none: await store.get(["nowhere"]),
            many: await store.getMany(keys),
          });
          const theirs = await throughKv(path, [...entries, HEAD], ask);
          assertEquals(await throughSnapshot(path, ask), theirs);
        });
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("SqliteSnapshot sees one state while another process writes", async () => {
  await withFile(async (path) => {
    await throughKv(path, [HEAD, { key: ["n"], value: new Uint8Array([1]) }], () => Promise.resolve());
    const writer = `const kv = await Deno.openKv(Deno.args[0]);
      for (let n = 2; n < 50; n++) await kv.set(["n"], new Uint8Array([n]));
      kv.close();`;
    const snapshot = SqliteSnapshot.open(path);
    try {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--unstable-kv", "--no-config", "-", path],
        stdin: "piped",
        stdout: "null",
        stderr: "inherit",
      }).spawn();
      const stdin = child.stdin.getWriter();
      await stdin.write(new TextEncoder().encode(writer));
      await stdin.close();
      assert((await child.status).success);
      assertEquals((await snapshot.get(["n"])).value, new Uint8Array([1]));
    } finally {
      snapshot.close();
    }
    await throughSnapshot(path, async (later) => {
      assertEquals((await later.get(["n"])).value, new Uint8Array([49]));
    });
  });
});

Deno.test("SqliteSnapshot never writes", async () => {
  await withFile(async (path) => {
    await throughKv(path, [HEAD], () => Promise.resolve());
    await throughSnapshot(path, async (snapshot) => {
      await assertRejects(() => snapshot.commit(), TypeError, "reading only");
    });
  });
});

function refuses(path: string, why: string): void {
  const error = assertThrows(() => SqliteSnapshot.open(path), SnapshotError);
  assert(error.message.includes(path) && error.message.includes(why), error.message);
}

Deno.test("SqliteSnapshot refuses what is not a file, no SQLite file, no Deno KV file, or has no head", async () => {
  await withFile(async (path) => {
    refuses(path, "there is no such file");
    await Deno.mkdir(`${path}.d`);
    refuses(`${path}.d`, "it is not a file");
    await Deno.writeTextFile(path, "not a database, but long enough to be taken for one".repeat(20));
    refuses(path, "file is not a database");
    await Deno.writeTextFile(path, "");
    refuses(path, "it is not a Deno KV file");
    new DatabaseSync(`${path}2`).close();
    using other = new DatabaseSync(`${path}3`);
    other.exec("CREATE TABLE kv (k, value)");
    refuses(`${path}3`, "it is not a Deno KV file");
    await throughKv(`${path}4`, [{ key: ["a"], value: new Uint8Array() }], () => Promise.resolve());
    refuses(`${path}4`, "there is no head");
    await throughKv(`${path}5`, [{ ...HEAD, value: new Uint8Array([1]) }], () => Promise.resolve());
    refuses(`${path}5`, "its head is damaged");
  });
});

Deno.test("SqliteSnapshot names the file when a page of it is damaged", async () => {
  await withFile(async (path) => {
    const value = new Uint8Array(3000);
    const puts = Array.from({ length: 200 }, (_, n) => ({ key: ["k", n], value }));
    await throughKv(path, [HEAD, ...puts], () => Promise.resolve());
    using database = new DatabaseSync(path);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    using file = await Deno.open(path, { write: true });
    await file.seek(20 * 4096, Deno.SeekMode.Start);
    await file.write(new Uint8Array(60 * 4096).fill(0xa5));
    await throughSnapshot(path, async (snapshot) => {
      const error = await assertRejects(
        () => snapshot.list({ prefix: [] }, { limit: 1000 }),
        SnapshotError,
        "malformed",
      );
      assert(error.message.includes(path));
    });
  });
});

Deno.test("SqliteSnapshot names a value that is not bytes", async () => {
  await withFile(async (path) => {
    await throughKv(path, [HEAD], () => Promise.resolve());
    const kv = await Deno.openKv(path);
    await kv.set(["j", "x"], { an: "object" });
    kv.close();
    await throughSnapshot(path, async (snapshot) => {
      await assertRejects(() => snapshot.get(["j", "x"]), SnapshotError, '["j","x"] is not bytes');
    });
  });
});
