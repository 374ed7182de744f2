/**
 * Export: the whole log as files that need no database: compressed lines of the exact stored bytes, all checkpoints, and a
 * manifest.
 *
 * What is already there from an earlier run is kept when it is still right, so an export that was cut off goes on where it
 * was, and one of a log that has grown adds what is new. The manifest comes last: without it the folder is no export.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { decodeEvent } from "../../events/event.ts";
import { fromPage } from "../../events/event_page.ts";
import { eventKey, EVENTS, type Head } from "../../events/head.ts";
import { parseCheckpoint } from "../../events/merkle/checkpoint.ts";
import type { Store, StoreEntry } from "../../events/store.ts";
import { pagesOf } from "../compared_store.ts";
import { readHead } from "../log_reader.ts";
import { sameBytes } from "../same_value.ts";
import { treeHere } from "../tree_growth.ts";
import type { TreeGrower, TreePlan } from "../tree_growth.ts";
import { cloudEvent } from "./cloud_event.ts";
import { ExportError, MANIFEST, type Manifest, readManifest, type Segment, sha256Of } from "./manifest.ts";

export interface ExportOptions {
  /** As CloudEvents in place of the stored bytes. Default false. */
  readonly cloudEvents?: boolean;
  /** A segment ends after so many events, or 32 MiB; so the same log has the same segments. Default 100,000. */
  readonly segmentEvents?: number;
  readonly grower?: (plan: TreePlan) => TreeGrower;
  readonly onProgress?: (events: number, total: number) => void;
}

export interface Exported {
  readonly manifest: Manifest;
  /** Segments that were there already. */
  readonly kept: number;
}

const SEGMENT_BYTES = 32 * 1024 * 1024;
const PARTITION = 0;
const PAGES_PER_READ = 64;
const CHECKPOINTS = "checkpoints.txt";
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const [compress, decompress] = [promisify(gzip), promisify(gunzip)];

/**
 * @param dir Made when it is missing; must be empty, or hold an export of this log, whole or not.
 * @throws {ExportError} If the folder holds something else, or the log has a gap or is not that of its last checkpoint.
 */
export async function exportLog(store: Store, dir: string, options: ExportOptions = {}): Promise<Exported> {
  const { cloudEvents = false, segmentEvents = 100_000, grower = treeHere, onProgress = () => {} } = options;
  const format = cloudEvents ? "daybook-cloudevents/1" : "daybook-export/1";
  const { head } = await readHead(store);
  await takeFolder(dir, head, format);
  const notes = await checkpointsOf(store, head);
  const last = notes.at(-1);
  const sealed = last === undefined ? undefined : parseCheckpoint(last);
  const sizes = new Set([sealed?.size ?? 0, head.position]);
  const tree = grower({ roots: [...sizes].sort((a, b) => a - b), tiles: 0 });
  const roots = new Map<number, Uint8Array>();
  const grow = async (pages: readonly StoreEntry[]) => {
    for (const [size, root] of (await tree.grow(pages)).roots) roots.set(size, root);
  };
  try {
    await grow([]);
    const segments = new SegmentWriter(dir, cloudEvents, segmentEvents);
    for await (const pages of logPages(store, head)) {
      await grow(pages);
      for (const page of pages) await segments.add(page);
      onProgress(segments.next, head.position);
    }
    await segments.finish();
    if (segments.next !== head.position) {
      throw new ExportError(
        `The log has only ${segments.next} of its ${head.position} events: run audit verify`,
      );
    }
    if (sealed && !sameBytes(roots.get(sealed.size) ?? new Uint8Array(), sealed.root)) {
      throw new ExportError(
        `The log is not the one that was sealed at ${sealed.size} events: run audit verify`,
      );
    }
    const checkpoints = encoder.encode(notes.join(""));
    await writeWhole(`${dir}/${CHECKPOINTS}`, checkpoints);
    const manifest: Manifest = {
      format,
      log_id: head.log_id,
      earlier: [...head.earlier ?? []],
      partition: PARTITION,
      events: head.position,
      root: Buffer.from(roots.get(head.position)!).toString("base64"),
      checkpoint: last ?? null,
      checkpoints: { file: CHECKPOINTS, count: notes.length, sha256: sha256Of(checkpoints) },
      segments: segments.written,
    };
    await writeWhole(`${dir}/${MANIFEST}`, encoder.encode(`${JSON.stringify(manifest, null, 2)}\n`));
    return { manifest, kept: segments.kept };
  } finally {
    tree.close();
  }
}

class SegmentWriter {
  readonly #dir: string;
  readonly #cloudEvents: boolean;
  readonly #mostEvents: number;
  readonly written: Segment[] = [];
  kept = 0;
  /** Position of the next event. */
  next = 0;
  #first = 0;
  #lines: Uint8Array[] = [];
  #events = 0;
  #bytes = 0;

  constructor(dir: string, cloudEvents: boolean, mostEvents: number) {
    this.#mostEvents = mostEvents;
    this.#dir = dir;
    this.#cloudEvents = cloudEvents;
  }

  async add(page: StoreEntry): Promise<void> {
    const { first, events } = fromPage(page);
    if (first !== this.next) {
      throw new ExportError(`The log has a gap or an overlap at position ${this.next}: run audit verify`);
    }
    for (const bytes of events) {
      const line = this.#cloudEvents ? encoder.encode(JSON.stringify(cloudEvent(decodeEvent(bytes)))) : bytes;
      this.#lines.push(line, LINE_BREAK);
      this.#bytes += line.length + 1;
      this.#events += 1;
      this.next += 1;
      if (this.#events === this.#mostEvents || this.#bytes >= SEGMENT_BYTES) await this.#write();
    }
  }

  async finish(): Promise<void> {
    if (this.#events > 0) await this.#write();
  }

  async #write(): Promise<void> {
    const text = Buffer.concat(this.#lines);
    const name = this.#cloudEvents ? "cloudevents" : "events";
    const file = `${name}-${String(this.#first).padStart(12, "0")}.ndjson.gz`;
    const path = `${this.#dir}/${file}`;
    let packed = await keptFile(path, text);
    if (packed) this.kept += 1;
    else {
      packed = await compress(text);
      await writeWhole(path, packed);
    }
    const sha256 = sha256Of(packed);
    this.written.push({ file, first: this.#first, events: this.#events, bytes: text.length, sha256 });
    [this.#first, this.#lines, this.#events, this.#bytes] = [this.next, [], 0, 0];
  }
}

const LINE_BREAK = Uint8Array.of(0x0a);

/** The file's bytes if it holds this text. */
async function keptFile(path: string, text: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    const packed = await Deno.readFile(path);
    return sameBytes(await decompress(packed), text) ? packed : undefined;
  } catch {
    return undefined;
  }
}

async function* logPages(store: Store, head: Head): AsyncGenerator<StoreEntry[]> {
  const range = { prefix: [EVENTS, PARTITION], start: eventKey(PARTITION, 0) };
  for (;;) {
    // What was appended since the head was read is left out.
    const pages = await store.list({ ...range, end: eventKey(PARTITION, head.position) }, {
      limit: PAGES_PER_READ,
    });
    if (pages.length > 0) yield pages;
    if (pages.length < PAGES_PER_READ) return;
    range.start = [...pages.at(-1)!.key, ""];
  }
}

async function checkpointsOf(store: Store, { position }: Head): Promise<string[]> {
  const prefix = ["tk", PARTITION];
  const notes: string[] = [];
  for await (
    const page of pagesOf(store, { prefix, start: [...prefix, 0], end: [...prefix, position + 1] })
  ) {
    for (const { value } of page) notes.push(decoder.decode(value));
  }
  return notes;
}

async function takeFolder(dir: string, { log_id }: Head, format: Manifest["format"]): Promise<void> {
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  const names = (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name);
  if (names.includes(MANIFEST)) {
    const before = await readManifest(dir);
    if (before.log_id !== log_id || before.format !== format) {
      throw new ExportError(`${dir} holds a ${before.format} of log ${before.log_id}: name another folder`);
    }
    await Deno.remove(`${dir}/${MANIFEST}`);
  } else if (
    names.some((name) =>
      !/^(?:(?:events|cloudevents)-\d{12}\.ndjson\.gz|checkpoints\.txt)(?:\.partial)?$/.test(name)
    )
  ) {
    throw new ExportError(
      `${dir} holds other files: name an empty folder, or one that an export was cut off in`,
    );
  }
}

/** The file is there whole and on disk, or not at all. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const partial = `${path}.partial`;
  {
    using file = await Deno.open(partial, { write: true, create: true, truncate: true, mode: 0o600 });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  }
  await Deno.rename(partial, path);
}
