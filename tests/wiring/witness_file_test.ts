/**
 * The witness's file when an append is cut off: what it holds can be read, and nothing that was whole goes.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { signCheckpoint } from "../../src/events/merkle/checkpoint.ts";
import { type AppendedFile, appendNotes } from "../../src/wiring/witness_file.ts";

const LOG_ID = "019b97f3-dca0-7000-8000-064e3ace5256";
const { privateKey } = generateKeyPairSync("ed25519");
const note = (size: number, origin = LOG_ID) =>
  signCheckpoint({ origin, size, root: new Uint8Array(32).fill(size) }, { name: origin, privateKey });
const NOTE_BYTES = new TextEncoder().encode(note(1)).length;

interface Limits {
  /** Bytes after which the disk is full. */
  readonly room?: number;
  readonly appendOnly?: boolean;
  readonly unreadable?: boolean;
  readonly failsToSync?: boolean;
}

/** The real file, with a disk and rights that a test cannot count on. */
function limited(file: Deno.FsFile, { room = Infinity, appendOnly, unreadable, failsToSync }: Limits) {
  return {
    stat: () => file.stat(),
    seek: (offset, whence) => file.seek(offset, whence),
    read: (buffer) =>
      unreadable ? Promise.reject(new Deno.errors.BadResource("write only")) : file.read(buffer),
    truncate: (size) =>
      appendOnly ? Promise.reject(new Deno.errors.PermissionDenied("append only")) : file.truncate(size),
    sync: () => failsToSync ? Promise.reject(new Error("I/O error")) : file.sync(),
    async write(bytes) {
      const fits = bytes.subarray(0, Math.max(0, room));
      if (fits.length === 0) throw new Error("No space left on device (os error 28)");
      room -= fits.length;
      return await file.write(fits);
    },
  } satisfies AppendedFile;
}

async function withWitness(
  test: (witness: {
    append(notes: readonly string[], limits?: Limits): Promise<void>;
    put(text: string | Uint8Array): Promise<void>;
    text(): Promise<string>;
  }) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "daybook_witness_" });
  try {
    await test({
      async append(notes, limits = {}) {
        using file = await Deno.open(path, { append: true, read: true });
        await appendNotes(limited(file, limits), notes);
      },
      put: (text) => Deno.writeFile(path, typeof text === "string" ? new TextEncoder().encode(text) : text),
      text: () => Deno.readTextFile(path),
    });
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("an append that a full disk cuts off is taken back, wherever it was cut, and done whole later", async () => {
  await withWitness(async ({ append, put, text }) => {
    for (let room = 0; room < 2 * NOTE_BYTES; room += 7) {
      await put(note(1));
      await assertRejects(() => append([note(2), note(3)], { room }), Error, "No space left");
      assertEquals(await text(), note(1));
      await append([note(2), note(3)]);
      assertEquals(await text(), note(1) + note(2) + note(3));
    }
  });
});

Deno.test("an append that does not come to the disk is taken back", async () => {
  await withWitness(async ({ append, put, text }) => {
    await put(note(1));
    await assertRejects(() => append([note(2)], { failsToSync: true }));
    assertEquals(await text(), note(1));
  });
});

Deno.test("what a killed process left of a checkpoint, cut at any byte, goes with the next append, and nothing else", async () => {
  await withWitness(async ({ append, put, text }) => {
    const other = "019b97f3-dca0-7000-8000-00000000000a";
    for (const torn of [note(2), note(2, other)]) {
      const bytes = new TextEncoder().encode(torn);
      for (let cut = 1; cut < bytes.length - 1; cut++) {
        for (const before of ["", note(1), `kept by hand\n${note(1)}\n`]) {
          await put(new Uint8Array([...new TextEncoder().encode(before), ...bytes.subarray(0, cut)]));
          await append([note(3)]);
          assertEquals(await text(), before + note(3));
        }
      }
    }
  });
});

Deno.test("a checkpoint that lacks its line break only is kept, and so is what somebody else wrote", async () => {
  await withWitness(async ({ append, put, text }) => {
    for (const end of [note(2).slice(0, -1), "kept by hand", "2026-01-01", "— somebody AAAA"]) {
      await put(note(1) + end);
      await append([note(3)]);
      assertEquals(await text(), `${note(1)}${end}\n${note(3)}`);
    }
  });
});

Deno.test("a file that can only be appended to gets its checkpoints, each on lines of its own", async () => {
  await withWitness(async ({ append, put, text }) => {
    const torn = note(1) + note(2).slice(0, 60);
    await put(torn);
    await append([note(3)], { appendOnly: true });
    assertEquals(await text(), `${torn}\n\n${note(3)}`);
  });
});

Deno.test("a file that may be written only gets its checkpoints", async () => {
  await withWitness(async ({ append, put, text }) => {
    await put(note(1));
    await append([note(2)], { unreadable: true });
    assertEquals(await text(), note(1) + note(2));
  });
});
