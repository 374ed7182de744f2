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
import { MOST_IN_BATCH, MOST_IN_VALUE } from "./kv_limits.ts";
import { keyBytes, type Store, type StoreEntry, type StoreKey } from "./store.ts";
import { textOf, utf8 } from "./utf8.ts";

/** First part of the undo records' keys. */
export const UNDO = "u";

/** What is committed at once: some of the entries, and the record that names them. */
export interface EarlyPortion {
  readonly record: StoreKey;
  readonly puts: readonly StoreEntry[];
}

/** As few portions as hold all of the entries. */
export function earlyPortions(entries: readonly StoreEntry[]): EarlyPortion[] {
  const portions: EarlyPortion[] = [];
  let portion: StoreEntry[] = [];
  let names: string[] = [];
  let [ofKeys, ofRecord] = [0, 0];
  const end = () => {
    if (portion.length === 0) return;
    const record: StoreKey = [UNDO, portions.length];
    portions.push({ record, puts: [{ key: record, value: utf8(`[${names.join()}]`) }, ...portion] });
    [portion, names, ofKeys, ofRecord] = [[], [], 0, 0];
  };
  for (const entry of entries) {
    const name = JSON.stringify(entry.key);
    const [inKeys, inRecord] = [keyBytes(entry.key), utf8(name).length + 1];
    const isFull = portion.length === MOST_IN_BATCH.mutations || ofKeys + inKeys > MOST_IN_BATCH.keyBytes ||
      ofRecord + inRecord > MOST_IN_VALUE;
    if (isFull) end();
    portion.push(entry);
    names.push(name);
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

/**
 * What removes all that was committed ahead of a batch which is not in the log: the keys to delete in one commit, then in the
 * next. Each is asked for when the one before has landed; those commits may be repeated.
 *
 * @param position Number of events in the log.
 * @param inTime Ends a read that takes too long. Default: none does.
 * @throws {StoreUnreadableError} If the store is away; also what `inTime` throws.
 */
export async function* undoSteps(
  store: Store,
  projector: Pick<Projector<never>, "mayPrecede">,
  position: number,
  inTime: <T>(reading: Promise<T>) => Promise<T> = (reading) => reading,
): AsyncGenerator<StoreKey[]> {
  for (;;) {
    const [record] = await inTime(store.list({ prefix: [UNDO] }, { limit: 1 }));
    if (!record) return;
    // What a record says must not remove anything else, whoever wrote it.
    const keys = (keysNamed(record.value) ?? []).filter((key) => projector.mayPrecede?.(key, position));
    yield [...keys, record.key];
  }
}

function isKey(key: unknown): key is StoreKey {
  return Array.isArray(key) && key.every((part) => typeof part === "string" || typeof part === "number");
}
