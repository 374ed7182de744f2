/**
 * Import: an export becomes a log again, byte for byte, in a store that has none.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { decodeEvent, type StoredEvent } from "../../events/event.ts";
import { splitLines, toPages } from "../../events/event_page.ts";
import { encodeHead, type Head, headKey } from "../../events/head.ts";
import { parseCheckpoint } from "../../events/merkle/checkpoint.ts";
import { splitNotes } from "../../events/merkle/signed_note.ts";
import { checkpointKey, cursorKey, encodeCursor } from "../../events/merkle/tree_follower.ts";
import type { Store } from "../../events/store.ts";
import { repair } from "../repair.ts";
import { replay } from "../replay.ts";
import { Slices } from "../slices.ts";
import { describeViolation } from "../describe.ts";
import { TreeGrowth } from "../tree_growth.ts";
import {
  DamagedExportError,
  ExportError,
  type Manifest,
  readManifest,
  type Segment,
  sha256Of,
} from "./manifest.ts";

export interface ImportOptions {
  readonly newId: () => string;
  readonly onProgress?: (progress: { of: string; done: number; total: number | null }) => void;
}

const PARTITION = 0;
const EVENTS_AT_ONCE = 5_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const decompress = promisify(gunzip);

/**
 * Writes the log and all that is folded from it. Everything is checked against the manifest as it is read; to check
 * signatures and the rest, verify the store afterwards.
 *
 * @param store Empty, and nobody else's; of no use if this throws.
 * @throws {DamagedExportError} If the export is damaged, or its events are no lawful log.
 * @throws {ExportError} If it is a view, or the store has a log.
 */
export async function importLog(dir: string, store: Store, options: ImportOptions): Promise<Manifest> {
  const { newId, onProgress = () => {} } = options;
  const manifest = await readManifest(dir);
  if (manifest.format !== "daybook-export/1") {
    throw new ExportError(
      `${dir} is a ${manifest.format}, a view that lacks the stored bytes: export without it`,
    );
  }
  const notes = await readCheckpoints(dir, manifest);
  // Nothing lands once there is a head, which comes last.
  const check = { key: headKey(PARTITION), versionstamp: null };
  const slices = new Slices(async (puts, deletes) => {
    if (await store.commit({ check, puts, deletes }) === null) {
      throw new ExportError("There is a log already where this one was to be imported");
    }
  });
  const time = await importEvents(dir, manifest, notes, slices, onProgress);
  const head: Head = {
    log_id: manifest.log_id,
    epoch: 1,
    position: manifest.events,
    batch_id: newId(),
    time,
    partitions: 1,
    ...manifest.earlier.length > 0 && { earlier: manifest.earlier },
  };
  await slices.flush();
  await slices.put({ key: headKey(PARTITION), value: encodeHead(head) });
  await slices.flush();
  const found = await replay(store, { show: 1, onProgress });
  const [violation] = found.violations.shown;
  if (violation) throw new DamagedExportError(`${dir} holds no lawful log: ${describeViolation(violation)}`);
  await repair(store, found, { onProgress });
  return manifest;
}

/** Returns the time of the last event. */
async function importEvents(
  dir: string,
  manifest: Manifest,
  notes: readonly { note: string; size: number; root: Uint8Array }[],
  slices: Slices,
  onProgress: NonNullable<ImportOptions["onProgress"]>,
): Promise<number> {
  const sealed = notes.at(-1)?.size ?? 0;
  const wanted = new Map(notes.map(({ size, root }) => [size, root]));
  wanted.set(manifest.events, new Uint8Array(Buffer.from(manifest.root, "base64")));
  const tree = new TreeGrowth({ roots: [...wanted.keys()].sort((a, b) => a - b), tiles: sealed });
  const grow = async (events: readonly StoredEvent[]) => {
    const { tiles, roots } = tree.append(events.map(({ bytes }) => bytes));
    for (const [size, root] of roots) {
      if (!Buffer.from(root).equals(wanted.get(size)!)) {
        throw new DamagedExportError(
          `${dir} is damaged: its first ${size} events are not those that were sealed`,
        );
      }
      wanted.delete(size);
    }
    for (const tile of tiles) await slices.put(tile);
  };
  await grow([]);
  let next = 0;
  let time = 0;
  for (const segment of manifest.segments) {
    if (segment.first !== next) {
      throw new DamagedExportError(`${dir} is damaged: the events from ${next} on are missing`);
    }
    const events = await readSegment(dir, segment);
    for (let i = 0; i < events.length; i += EVENTS_AT_ONCE) {
      const some = events.slice(i, i + EVENTS_AT_ONCE);
      await grow(some);
      for (const page of toPages(some)) await slices.put(page);
      onProgress({ of: "events", done: next + i, total: manifest.events });
    }
    next += events.length;
    time = Date.parse(events.at(-1)?.event.time ?? "") || time;
  }
  const missing = [...wanted.keys()].find((size) => size > next);
  if (next !== manifest.events || missing !== undefined) {
    throw new DamagedExportError(
      `${dir} is damaged: it has ${next} events, should have ${missing ?? manifest.events}`,
    );
  }
  for (const { note, size } of notes) {
    await slices.put({ key: checkpointKey(PARTITION, size), value: encoder.encode(note) });
  }
  const cursor = { size: sealed, checkpoint: sealed, checkpoints: notes.length };
  if (notes.length > 0) await slices.put({ key: cursorKey(PARTITION), value: encodeCursor(cursor) });
  return time;
}

async function readSegment(
  dir: string,
  { file, first, events, bytes, sha256 }: Segment,
): Promise<StoredEvent[]> {
  const packed = await readFile(dir, file, sha256);
  const text = await decompress(packed).catch((error: Error) => {
    throw new DamagedExportError(`${dir}/${file} is damaged: ${error.message}`);
  });
  // Each line has its break, so what is behind the last one is none.
  const lines = splitLines(text).slice(0, -1);
  if (text.length !== bytes || lines.length !== events || text.at(-1) !== 0x0a) {
    throw new DamagedExportError(
      `${dir}/${file} is damaged: it has ${lines.length} events, should have ${events}`,
    );
  }
  return lines.map((line, i) => {
    try {
      const event = decodeEvent(line);
      if (event.position === first + i && event.partition === PARTITION) return { event, bytes: line };
    } catch {
      // It is told below what is wrong with it.
    }
    throw new DamagedExportError(
      `${dir}/${file} is damaged: line ${i + 1} is not the event at position ${first + i}`,
    );
  });
}

async function readCheckpoints(dir: string, { checkpoint, checkpoints }: Manifest) {
  const text = decoder.decode(await readFile(dir, checkpoints.file, checkpoints.sha256));
  const notes = splitNotes(text);
  if (
    notes.length !== checkpoints.count || notes.join("") !== text || (notes.at(-1) ?? null) !== checkpoint
  ) {
    throw new DamagedExportError(
      `${dir}/${checkpoints.file} is damaged: it has not the checkpoints of the manifest`,
    );
  }
  return notes.map((note) => ({ note, ...parseCheckpoint(note) }));
}

async function readFile(dir: string, file: string, sha256: string): Promise<Uint8Array> {
  const bytes = await Deno.readFile(`${dir}/${file}`).catch((error: Error) => {
    const why = error instanceof Deno.errors.NotFound ? "it is missing" : error.message;
    throw new ExportError(`Cannot read ${dir}/${file}: ${why}`);
  });
  if (sha256Of(bytes) === sha256) return bytes;
  throw new DamagedExportError(`${dir}/${file} is damaged: it is not the file that the manifest names`);
}
