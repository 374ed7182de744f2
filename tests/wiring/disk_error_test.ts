import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { StoreUnreadableError, UnknownOutcomeError } from "../../src/events/errors.ts";
import { CopyError } from "../../src/events/kv_file_copy.ts";
import { SnapshotError } from "../../src/events/sqlite_snapshot.ts";
import { DiskError, writtenTo } from "../../src/wiring/disk_error.ts";

const FULL = "cannot be written: the disk is full. Make room and try again";
const READ_ONLY = "Make it writable, or name another place, and try again";
const FAILS = "Make room, or mend the disk, and try again";

const TROUBLES: readonly [Error, string][] = [
  [new TypeError("database or disk is full"), FULL],
  [new UnknownOutcomeError(Promise.resolve("lost"), "database or disk is full"), FULL],
  [new Error("No space left on device (os error 28): open '/data/x'"), FULL],
  [new Error("Disk quota exceeded (os error 122)"), FULL],
  [
    new TypeError("attempt to write a readonly database"),
    `cannot be written: it is read-only (readonly database). ${READ_ONLY}`,
  ],
  [
    new Error("Read-only file system (os error 30)"),
    `cannot be written: it is read-only (Read-only file system). ${READ_ONLY}`,
  ],
  [
    new StoreUnreadableError(new TypeError("disk I/O error")),
    `cannot be used: its disk is full or fails (disk I/O error). ${FAILS}`,
  ],
];

for (const [error, told] of TROUBLES) {
  Deno.test(`writtenTo() says which file and what to do when it fails with "${error.message}"`, async () => {
    const start = await assertRejects(() => writtenTo("/data/x", Promise.reject(error)), DiskError);
    assertEquals(start.message, `/data/x ${told}`);
    assertStrictEquals(start.cause, error);
  });
}

Deno.test("writtenTo() lets through as it is what nobody foresaw, and what the work answers", async () => {
  const bug = new TypeError("Cannot read properties of undefined (reading 'x')");
  assertStrictEquals(await assertRejects(() => writtenTo("/data/x", Promise.reject(bug))), bug);
  assertEquals(await writtenTo("/data/x", Promise.resolve(1)), 1);
});

Deno.test("writtenTo() does not blame the file that is written for the log that cannot be read", async () => {
  for (
    const error of [
      new SnapshotError("/data/daybook.kv", "disk I/O error"),
      new CopyError("/data/daybook.kv", "/backups/x", new Error("disk I/O error")),
    ]
  ) {
    assertStrictEquals(await assertRejects(() => writtenTo("/backups/x", Promise.reject(error))), error);
  }
});
