/**
 * What a cleanup has removed, counted, with as many names as a result has room for.
 *
 * @module
 */
import type { CleanupType } from "./types.ts";

/** A removed file in a result. */
export interface RemovedFile {
  readonly type: CleanupType;
  /** Relative to the folder that was cleaned, with `/`. */
  readonly name: string;
  readonly bytes: number;
}

const MAX_NAMES = 200;
/** A result is an event in the log for good: with its other fields it stays under 8 KiB. */
const MAX_NAMES_BYTES = 7_500;

const encoder = new TextEncoder();

/** See the module. */
export class Removals {
  readonly byType: Partial<Record<CleanupType, number>> = {};
  readonly named: RemovedFile[] = [];
  /** Files removed, named or not. */
  files = 0;
  bytes = 0;
  #room = MAX_NAMES_BYTES;

  /** All records: files too. */
  get records(): number {
    return Object.values(this.byType).reduce((sum, count) => sum + count, 0);
  }

  /** Counts records that are no files. */
  count(type: CleanupType, records: number): void {
    this.byType[type] = (this.byType[type] ?? 0) + records;
  }

  /** Counts a file that freed `bytes`. */
  file(type: CleanupType, name: string, bytes: number): void {
    this.count(type, 1);
    this.files++;
    this.bytes += bytes;
    const entry = { type, name: name.replaceAll("\\", "/").toWellFormed(), bytes };
    const size = encoder.encode(JSON.stringify(entry)).byteLength + 1;
    // Once a name is left out all later ones are, so that the list is the beginning of what was done.
    if (this.named.length >= MAX_NAMES || size > this.#room) this.#room = 0;
    else {
      this.#room -= size;
      this.named.push(entry);
    }
  }
}
