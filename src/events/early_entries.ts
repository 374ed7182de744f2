/**
 * Entries that are committed ahead of the batch that they belong to, which no one commit can hold.
 *
 * They say nothing until the batch has landed: what they lead to is not there, and readers pass over them. So the batch lands
 * in one commit all the same. An undo record names the entries of each such commit beforehand, as undo logging has it (Gray and
 * Reuter, Transaction Processing, chapter 10); the batch's own commit removes the records. When the batch is lost, or its
 * process dies, whoever goes on with the log removes first what the records name.
 *
 * @module
 */
import type { Projector } from "./append.ts";
import { type Clock, withDeadline } from "./clock.ts";
import type { Committer } from "./committer.ts";
import { keyBytes, type Store, type StoreEntry, type StoreKey } from "./store.ts";
import { textOf, utf8 } from "./utf8.ts";

/** First part of the undo records' keys. */
export const UNDO = "u";

/** Of one commit: Deno KV takes 1000 mutations, 80 KiB of keys, and 64 KiB in a value. */
const MAX_ENTRIES = 900;
const MAX_KEY_BYTES = 72 * 1024;
const MAX_RECORD_BYTES = 60 * 1024;

/** What is committed at once: some of the entries, and the record that names them. */
export interface EarlyPortion {
  readonly record: StoreKey;
  readonly puts: readonly StoreEntry[];
}

/** As few portions as hold all of the entries. */
export function earlyPortions(entries: readonly StoreEntry[]): EarlyPortion[] {
  const portions: EarlyPortion[] = [];
  let portion: StoreEntry[] = [];
  let [ofKeys, ofRecord] = [0, 0];
  const end = () => {
    if (portion.length === 0) return;
    const record: StoreKey = [UNDO, portions.length];
    const named = utf8(JSON.stringify(portion.map(({ key }) => key)));
    portions.push({ record, puts: [{ key: record, value: named }, ...portion] });
    [portion, ofKeys, ofRecord] = [[], 0, 0];
  };
  for (const entry of entries) {
    const [inKeys, inRecord] = [keyBytes(entry.key), utf8(JSON.stringify(entry.key)).length + 1];
    const isFull = portion.length === MAX_ENTRIES || ofKeys + inKeys > MAX_KEY_BYTES ||
      ofRecord + inRecord > MAX_RECORD_BYTES;
    if (isFull) end();
    portion.push(entry);
    ofKeys += inKeys;
    ofRecord += inRecord;
  }
  end();
  return portions;
}

/** The keys that an undo record names; `undefined` if it is none. */
export function keysNamed(record: Uint8Array): StoreKey[] | undefined {
  try {
    const keys: unknown = JSON.parse(textOf(record));
    return Array.isArray(keys) && keys.every(isKey) ? keys : undefined;
  } catch {
    return undefined;
  }
}

export interface UndoOptions {
  readonly store: Store;
  readonly projector: Projector<never>;
  readonly clock: Clock;
  /** How long one request to the store may take, in milliseconds. */
  readonly deadlineMs: number;
}

/**
 * Removes what was committed ahead of a batch that is not in the log, unless another process has taken the log over, which then
 * does it. No other commit may be under way.
 *
 * @throws {StoreUnreadableError | DeadlineError} If the store is away.
 */
export async function undoEarly(
  committer: Committer,
  { store, projector, clock, deadlineMs }: UndoOptions,
): Promise<void> {
  while (!committer.fenced) {
    const reading = store.list({ prefix: [UNDO] }, { limit: 1 });
    const [record] = await withDeadline(clock, deadlineMs, "Reading what is to be undone", reading);
    if (!record) return;
    // What a record says must not remove anything else, whoever wrote it.
    const keys = (keysNamed(record.value) ?? [])
      .filter((key) => projector.mayPrecede?.(key, committer.head.position));
    await committer.commit({ puts: [], deletes: [...keys, record.key] });
  }
}

function isKey(key: unknown): key is StoreKey {
  return Array.isArray(key) && key.every((part) => typeof part === "string" || typeof part === "number");
}
