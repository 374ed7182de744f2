/**
 * Bitmaps of positions in the log: of each queue, priority and type that has jobs waiting since they were created, one for
 * each 512 positions, with a bit for each such job's first event.
 *
 * @module
 */
import type { StoreEntry, StoreKey } from "../../events/store.ts";
import { waitingKey } from "./keys.ts";
import { encodeJson } from "./row.ts";

/** The bitmap with the number n has the positions from `n * 512` on. */
export const POSITIONS_PER_BITMAP = 512;

/** Where a job waits, by which its bit is found. */
export interface WaitingPlace {
  readonly queue: string;
  /** 0 is low, 3 critical. */
  readonly rank: number;
  readonly jobType: string;
  /** Of the job's first event. */
  readonly position: number;
}

const ENCODED = new RegExp(`^"[0-9a-f]{${POSITIONS_PER_BITMAP / 4}}"$`);
const decoder = new TextDecoder();

export function bitmapNumber(position: number): number {
  return Math.floor(position / POSITIONS_PER_BITMAP);
}

export class Bitmap {
  readonly number: number;
  readonly key: StoreKey;
  /** The lowest bit of the first byte is the first position's. */
  readonly #bytes = new Uint8Array(POSITIONS_PER_BITMAP / 8);

  constructor(readonly place: Omit<WaitingPlace, "position">, number: number) {
    this.number = number;
    this.key = waitingKey(place.queue, place.rank, number, place.jobType);
  }

  static emptyAt({ queue, rank, jobType, position }: WaitingPlace): Bitmap {
    return new Bitmap({ queue, rank, jobType }, bitmapNumber(position));
  }

  /** As it is in the store: its bytes in hexadecimal digits. */
  static fromEntry({ key, value }: StoreEntry): Bitmap {
    const [, queue, rank, number, jobType] = key as [string, string, number, number, string];
    const bitmap = new Bitmap({ queue, rank, jobType }, number);
    bitmap.load(value);
    return bitmap;
  }

  /** @throws {Error} If the value is no bitmap; says what to do. */
  load(value: Uint8Array): void {
    const text = decoder.decode(value);
    if (!ENCODED.test(text)) throw damaged(this.key);
    this.#bytes.setFromHex(text.slice(1, -1));
  }

  toEntry(): StoreEntry {
    return { key: this.key, value: encodeJson(this.#bytes.toHex()) };
  }

  copy(): Bitmap {
    const copy = new Bitmap(this.place, this.number);
    copy.#bytes.set(this.#bytes);
    return copy;
  }

  get isEmpty(): boolean {
    return this.#bytes.every((byte) => byte === 0);
  }

  add(position: number): void {
    this.#bytes[position % POSITIONS_PER_BITMAP >> 3]! |= 1 << position % 8;
  }

  remove(position: number): void {
    this.#bytes[position % POSITIONS_PER_BITMAP >> 3]! &= ~(1 << position % 8);
  }

  has(position: number): boolean {
    return (this.#bytes[position % POSITIONS_PER_BITMAP >> 3]! >> position % 8 & 1) === 1;
  }

  /** In ascending order. */
  positions(): number[] {
    const positions: number[] = [];
    for (const [i, byte] of this.#bytes.entries()) {
      for (let bit = 0; byte >> bit > 0; bit++) {
        if (byte >> bit & 1) positions.push(this.number * POSITIONS_PER_BITMAP + 8 * i + bit);
      }
    }
    return positions;
  }
}

/** Bitmaps by place, in the order in which they were put. */
export class Bitmaps {
  readonly #byName = new Map<string, Bitmap>();
  /** Neighbours in a batch are mostly of one bitmap. */
  #last: Bitmap | undefined;

  values(): Iterable<Bitmap> {
    return this.#byName.values();
  }

  get({ queue, rank, jobType, position }: WaitingPlace): Bitmap | undefined {
    const number = bitmapNumber(position);
    const last = this.#last;
    if (
      last?.number === number && last.place.jobType === jobType && last.place.queue === queue &&
      last.place.rank === rank
    ) return last;
    const found = this.#byName.get(nameOf(queue, rank, number, jobType));
    if (found) this.#last = found;
    return found;
  }

  /** An empty one if there is none. */
  obtain(place: WaitingPlace): Bitmap {
    let bitmap = this.get(place);
    if (!bitmap) this.put(bitmap = Bitmap.emptyAt(place));
    return bitmap;
  }

  /** Takes the place of what is there. */
  put(bitmap: Bitmap): void {
    const { place: { queue, rank, jobType }, number } = bitmap;
    const name = nameOf(queue, rank, number, jobType);
    this.#byName.delete(name);
    this.#byName.set(name, bitmap);
    this.#last = bitmap;
  }

  /** Removes those that were put first, beyond so many, and answers them. */
  dropOldest(kept: number): Bitmap[] {
    if (this.#byName.size <= kept) return [];
    const dropped = [...this.#byName.entries().take(this.#byName.size - kept)];
    for (const [name] of dropped) this.#byName.delete(name);
    this.#last = undefined;
    return dropped.map(([, bitmap]) => bitmap);
  }
}

function damaged(key: StoreKey): Error {
  return new Error(
    `The entry ${JSON.stringify(key)} of waiting jobs is damaged: ` +
      "`deno task audit replay --repair` writes it anew",
  );
}

function nameOf(queue: string, rank: number, number: number, jobType: string): string {
  return `${rank} ${number} ${jobType}\0${queue}`;
}
