/**
 * Sealing: which of the waiting appends go into the next commit, and what that commit writes.
 *
 * @module
 */
import type { Mutations, Projector, StagedAppend } from "./append.ts";
import { type EarlyPortion, earlyPortions } from "./early_entries.ts";
import type { StoredEvent } from "./event.ts";
import { toPages } from "./event_page.ts";
import { MOST_IN_BATCH } from "./kv_limits.ts";
import { keyBytes, mostKeyBytes, type StoreEntry, type StoreKey } from "./store.ts";

/** Beyond some 400 mutations a larger commit is no faster per key, and everybody in it waits longer. */
const TARGET_MUTATIONS = 512;

/** What an append is taken to cost before its rows are known: a row of this size. Its events share pages with others'. */
const MUTATIONS_PER_APPEND = 1;
const ROW_BYTES = 700;

/** What one append may hold at most, which leaves the rest of its commit to rows and indexes. */
export const MAX_APPEND_EVENTS = 400;
export const MAX_APPEND_BYTES = 480 * 1024;

export interface SealedBatch<Change> {
  readonly appends: readonly StagedAppend<Change>[];
  /** To be committed ahead of the rest, which cannot be parted and does not fit with them. */
  readonly early: readonly EarlyPortion[];
  readonly puts: readonly StoreEntry[];
  readonly deletes: readonly StoreKey[];
}

/** The longest prefix of `waiting` that one commit is likely to hold, at least one append. */
export function likelyBatch<Append extends StagedAppend<unknown>>(waiting: readonly Append[]): Append[] {
  return waiting.slice(0, wholeGroups(waiting, estimateFit(waiting)));
}

/** The longest prefix of these appends that fits into one commit, at least one; or the projector's promise to be ready. */
export function sealBatch<Change>(
  likely: readonly StagedAppend<Change>[],
  projector: Projector<Change>,
): SealedBatch<Change> | Promise<void> {
  for (let count = likely.length;; count = wholeGroups(likely, count >> 1)) {
    const appends = likely.slice(0, count);
    const events: StoredEvent[] = [];
    const changes: Change[] = [];
    for (const append of appends) {
      events.push(...append.events);
      if (append.change !== undefined) changes.push(append.change);
    }
    const projected = projector.project(changes, events);
    if (projected instanceof Promise) return projected;
    const { puts, deletes } = projected;
    puts.push(...toPages(events));
    if (fits({ puts, deletes })) return { appends, early: [], puts, deletes };
    if (wholeGroups(likely, count >> 1) === count) {
      return { appends, ...parted({ puts, deletes }, projector, events[0]!.event.position) };
    }
  }
}

/** What may precede these mutations, and the rest. */
function parted(
  { puts, deletes }: Mutations,
  projector: Projector<never>,
  position: number,
): Omit<SealedBatch<never>, "appends"> {
  const { early = [], rest = [] } = Object.groupBy(
    puts,
    ({ key }) => projector.mayPrecede?.(key, position) ? "early" : "rest",
  );
  const portions = earlyPortions(early);
  return { early: portions, puts: rest, deletes: [...deletes, ...portions.map(({ record }) => record)] };
}

/** Whether these two, of which the second follows the first, must share a commit. */
export function inOneGroup(
  a: StagedAppend<unknown> | undefined,
  b: StagedAppend<unknown> | undefined,
): boolean {
  return a?.group !== undefined && a.group === b?.group;
}

/** As many appends or fewer, so that no group is cut, but at least the first group. */
function wholeGroups(waiting: readonly StagedAppend<unknown>[], count: number): number {
  const cuts = (at: number) => inOneGroup(waiting[at - 1], waiting[at]);
  let whole = Math.max(1, count);
  while (whole > 1 && cuts(whole)) whole -= 1;
  while (cuts(whole)) whole += 1;
  return whole;
}

function estimateFit(waiting: readonly StagedAppend<unknown>[]): number {
  let mutations = 0;
  let bytes = 0;
  let count = 0;
  for (const { events } of waiting) {
    mutations += MUTATIONS_PER_APPEND;
    bytes += ROW_BYTES;
    for (const event of events) bytes += event.bytes.length;
    if (count > 0 && (mutations > TARGET_MUTATIONS || bytes > MOST_IN_BATCH.bytes)) break;
    count += 1;
  }
  return count;
}

function fits({ puts, deletes }: Mutations): boolean {
  if (puts.length + deletes.length > MOST_IN_BATCH.mutations) return false;
  let bytes = 0;
  for (const { value } of puts) bytes += value.length;
  const keysFit = (bytesOf: (key: StoreKey) => number) => {
    let keys = 0;
    for (const { key } of puts) keys += bytesOf(key);
    for (const key of deletes) keys += bytesOf(key);
    return keys <= MOST_IN_BATCH.keyBytes && bytes + keys <= MOST_IN_BATCH.bytes;
  };
  return keysFit(mostKeyBytes) || keysFit(keyBytes);
}
