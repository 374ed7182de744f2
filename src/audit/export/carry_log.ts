/**
 * Carries a whole log, views and all, from one store to another that has none.
 *
 * @module
 */
import { headKey } from "../../events/head.ts";
import type { Store, StoreEntry, StoreKey } from "../../events/store.ts";
import { pagesOf } from "../compared_store.ts";
import { Slices } from "../slices.ts";
import { ExportError } from "./manifest.ts";

/**
 * Is there while a log is being carried, and names it. The head comes last, so what was cut off is no log; this key tells
 * whose it is when it is tried again, and keeps others away.
 */
export const CARRYING_KEY = ["import"];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * @param name Names what is carried, the same when it is tried again.
 * @throws {ExportError} If there is something else in the store that it is carried to.
 */
export async function carryLog(
  from: Store,
  to: Store,
  name: string,
  onProgress: (entries: number) => void = () => {},
): Promise<void> {
  const head = await from.get(headKey(0));
  if ((await to.get(headKey(0))).value) {
    throw new ExportError("There is a log already: it is never written over");
  }
  const begun = await to.get(CARRYING_KEY);
  if (begun.value && decoder.decode(begun.value) !== name) {
    throw new ExportError(`Another import (${decoder.decode(begun.value)}) was begun there and not finished`);
  }
  if (!begun.value && (await to.list({ prefix: [], start: [""] }, { limit: 1 })).length > 0) {
    throw new ExportError("There are other entries already: name an empty store");
  }
  const mark = { key: CARRYING_KEY, value: encoder.encode(name) };
  let versionstamp = begun.versionstamp;
  let carried = 0;
  const commit = async (puts: readonly StoreEntry[], deletes: readonly StoreKey[] = []) => {
    versionstamp = await to.commit({ check: { key: CARRYING_KEY, versionstamp }, puts, deletes });
    if (versionstamp === null) throw new ExportError("Somebody else writes where the log is carried to");
    carried += puts.length;
    onProgress(carried);
  };
  await commit([mark]);
  const slices = new Slices((puts) => commit([mark, ...puts]));
  for await (const page of pagesOf(from, { prefix: [], start: [""] })) {
    for (const entry of page) if (entry.key[0] !== "h") await slices.put(entry);
  }
  await slices.flush();
  await commit([{ key: headKey(0), value: head.value! }], [CARRYING_KEY]);
}
