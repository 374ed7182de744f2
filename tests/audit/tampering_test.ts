/**
 * A thousand edits of the file behind Daybook's back, and damage to the file itself: none stays unseen.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { verify } from "../../src/audit/verify.ts";
import { decodeHead, encodeHead, headKey } from "../../src/events/head.ts";
import { encodeKey } from "../../src/events/kv_file_key.ts";
import { SnapshotError, SqliteSnapshot } from "../../src/events/sqlite_snapshot.ts";
import { throughKv, withFile } from "../tasks/support/audit_runs.ts";
import { seal, type Sealed } from "./support/sealed.ts";

const EDITS = 1_000;
const FLIPS = 300;
const CUTS = 60;

interface Row {
  readonly k: Uint8Array;
  readonly v: Uint8Array;
}

/** Of pages, tiles, checkpoints, cursor, rows of jobs on their own and in the lists. */
const GROUPS = ["0e", "00t", "tk", "tc", "0j", "0l"];

type Edit = (database: DatabaseSync, rows: readonly Row[], random: Random) => void;
type Random = (below: number) => number;

const EDIT_KINDS: Record<string, Edit> = {
  "change a byte": (database, rows, random) => {
    const { k, v } = rows[random(rows.length)]!;
    const at = random(v.length);
    update(database, k, v.with(at, v[at]! ^ (1 << random(8))));
  },
  "change a word": (database, rows, random) => {
    const { k, v } = rows[random(rows.length)]!;
    update(database, k, concat(v.subarray(0, random(v.length)), new Uint8Array(1 + random(9)).fill(0x30)));
  },
  "cut a value": (database, rows, random) => {
    const { k, v } = rows[random(rows.length)]!;
    update(database, k, v.subarray(0, random(v.length)));
  },
  "delete an entry": (database, rows, random) => {
    database.prepare("DELETE FROM kv WHERE k = ?").run(rows[random(rows.length)]!.k);
  },
  "insert a copy under another key": (database, rows, random) => {
    const { k, v } = rows[random(rows.length)]!;
    const key = k.with(k.length - 1, k.at(-1)! ^ (1 << random(8)));
    database.prepare(
      "INSERT OR REPLACE INTO kv (k, v, v_encoding, version, expiration_ms) VALUES (?, ?, 3, 1, -1)",
    ).run(key, v);
  },
  "exchange two values": (database, rows, random) => {
    const [a, b] = [rows[random(rows.length)]!, rows[random(rows.length)]!];
    update(database, a.k, b.v);
    update(database, b.k, a.v);
  },
  "reorder the events of a page": (database, rows, random) => {
    inPage(database, rows, random, (lines) => [...lines.slice(1), lines[0]!]);
  },
  "delete an event": (database, rows, random) => {
    inPage(database, rows, random, (lines) => lines.toSpliced(random(lines.length), 1));
  },
  "insert an event": (database, rows, random) => {
    inPage(database, rows, random, (lines) => {
      const at = random(lines.length);
      return lines.toSpliced(at, 0, lines[at]!);
    });
  },
  "write an event anew": (database, rows, random) => {
    inPage(database, rows, random, (lines) => {
      const at = random(lines.length);
      const event = JSON.parse(lines[at]!);
      const [field, value] = [["actor", "nobody"], ["reason", `${random(1e6)}`], [
        "request_id",
        "none",
      ]][random(3)]!;
      return lines.with(at, JSON.stringify({ ...event, [field!]: value }));
    });
  },
  "cut the log, head and all": (database, rows, random) => {
    const pages = rows.filter(isPage);
    const { k, v } = pages[random(pages.length)]!;
    const { position } = JSON.parse(new TextDecoder().decode(v).split("\n")[0]!);
    database.prepare("DELETE FROM kv WHERE k >= ? AND k < ?").run(k, encodeKey(["0e"], 0xff));
    const key = encodeKey(headKey(0));
    const head = database.prepare("SELECT v FROM kv WHERE k = ?").get(key)!["v"] as Uint8Array;
    update(database, key, encodeHead({ ...decodeHead(head), position }));
  },
  "let an entry expire": (database, rows, random) => {
    database.prepare("UPDATE kv SET expiration_ms = ? WHERE k = ?").run(
      1 + random(1e9),
      rows[random(rows.length)]!.k,
    );
  },
};

Deno.test(`each of ${EDITS} random edits of the file with SQLite is found`, async () => {
  await withSealed(async ({ path, key, sealed }) => {
    const copy = `${path}.copy`;
    const kinds = Object.entries(EDIT_KINDS);
    const random = randomFrom(20_260_107);
    const before = dump(path);
    let edits = 0;
    while (edits < EDITS) {
      await Deno.copyFile(path, copy);
      const [name, edit] = kinds[edits % kinds.length]!;
      const database = new DatabaseSync(copy);
      const group = name.includes("event") || name.includes("log")
        ? ["0e"]
        : [GROUPS[random(GROUPS.length)]!];
      edit(database, rowsOf(database, group), random);
      database.close();
      if (dump(copy) === before) continue;
      edits += 1;
      assert(await isFound(copy, sealed), `not found: ${name} in ${group}, edit ${edits}`);
    }
    assertEquals(await isFound(path, sealed), false, "the file that nobody touched");
    assertEquals(key.name, sealed.key.name);
  });
});

Deno.test(`of ${FLIPS} flipped bits and ${CUTS} files that were half written, each is found or does no harm`, async () => {
  await withSealed(async ({ path, sealed }) => {
    const copy = `${path}.copy`;
    const random = randomFrom(42);
    const whole = await Deno.readFile(path);
    const before = dump(path);
    let found = 0;
    const check = async (bytes: Uint8Array, what: string) => {
      await Deno.writeFile(copy, bytes);
      if (await isFound(copy, sealed)) found += 1;
      else assertEquals(dump(copy), before, what);
    };
    for (let n = 0; n < FLIPS; n++) {
      const at = random(whole.length);
      await check(whole.with(at, whole[at]! ^ (1 << random(8))), `bit at byte ${at}`);
    }
    for (let n = 0; n < CUTS; n++) {
      const at = random(whole.length);
      await check(whole.subarray(0, at), `cut at ${at}`);
      const holes = whole.slice();
      holes.fill(0, at, at + 4096 * (1 + random(4)));
      await check(holes, `zeros from ${at} on`);
    }
    assert(found > FLIPS / 2, `${found} were found, most of them must be`);
  });
});

/** Whether a check of the file says that something is wrong with it. */
async function isFound(path: string, { key }: Sealed): Promise<boolean> {
  let snapshot: SqliteSnapshot;
  try {
    snapshot = SqliteSnapshot.open(path);
  } catch (error) {
    assert(error instanceof SnapshotError, `${error}`);
    return true;
  }
  try {
    if (snapshot.damage().length > 0) return true;
    const { violations, differences } = await verify(snapshot, { keys: [key], now: Date.now() });
    return violations.total + differences.total > 0;
  } catch (error) {
    assert(error instanceof SnapshotError, `${(error as Error).stack}`);
    return true;
  } finally {
    snapshot.close();
  }
}

async function withSealed(
  test: (file: { path: string; key: Sealed["key"]; sealed: Sealed }) => Promise<void>,
): Promise<void> {
  await withFile(async (path) => {
    const sealed = await throughKv(path, (store) => seal(store));
    const database = new DatabaseSync(path);
    // One file, with nothing beside it.
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.exec("PRAGMA journal_mode = DELETE");
    database.close();
    await test({ path, key: sealed.key, sealed });
  });
}

function rowsOf(database: DatabaseSync, groups: readonly string[]): Row[] {
  return groups.flatMap((name) =>
    database.prepare("SELECT k, v FROM kv WHERE k >= ? AND k < ? ORDER BY k")
      .all(encodeKey([name], 0x00), encodeKey([name], 0xff)) as unknown as Row[]
  ).filter(({ v }) => v.length > 0);
}

/** All that the store holds, as text; empty when it cannot be read. */
function dump(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(
      "SELECT hex(k) || ' ' || hex(v) || v_encoding || ' ' || expiration_ms AS line FROM kv ORDER BY k",
    )
      .all().map(({ line }) => line).join("\n");
  } finally {
    database.close();
  }
}

function inPage(
  database: DatabaseSync,
  rows: readonly Row[],
  random: Random,
  change: (lines: string[]) => string[],
): void {
  const pages = rows.filter(isPage);
  const { k, v } = pages[random(pages.length)]!;
  update(database, k, new TextEncoder().encode(change(new TextDecoder().decode(v).split("\n")).join("\n")));
}

function isPage({ v }: Row): boolean {
  return v[0] === "{".charCodeAt(0);
}

function update(database: DatabaseSync, key: Uint8Array, value: Uint8Array): void {
  database.prepare("UPDATE kv SET v = ? WHERE k = ?").run(value, key);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Mulberry32, so that a failure can be repeated. */
function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
