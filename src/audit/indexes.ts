/**
 * Compares the indexes with the jobs: all of their entries but the rows.
 *
 * To go through an index in the order of its keys takes a fraction of the time of looking each entry up in the order of
 * the log. No two entries have the same key, so if as many are right as are wanted, none of those is missing.
 *
 * @module
 */
import { LISTS } from "../actors/job/keys.ts";
import type { StoreEntry, StoreKey } from "../events/store.ts";
import { type ComparedStore, pagesOf } from "./compared_store.ts";
import { inPages } from "./in_pages.ts";
import { type Index, indexWith, keyIn } from "./job_shapes.ts";
import type { RestingJobs } from "./resting_jobs.ts";
import { sameBytes } from "./same_value.ts";

/** Entries that are looked up together. */
const PAGE = 1_024;
/** A range with more entries for each that is wanted is not gone through: most of a list may be rows. */
const MOST_FOR_ONE = 4;

/** What is gone through at once. */
interface Range {
  readonly prefix: StoreKey;
  wanted: number;
  isProven: boolean;
}

/** Names each entry that should be there and is not as it should be. @param jobs All of them, settled. */
export async function compareIndexes(store: ComparedStore, jobs: RestingJobs): Promise<void> {
  const ranges = rangesOf(jobs);
  for (const range of new Set(ranges.values())) range.isProven = await isProven(store, range, jobs);
  if (ranges.values().every(({ isProven }) => isProven)) return;
  for (const page of inPages(unproven(ranges, jobs), PAGE)) await jobs.compare(page);
}

function rangesOf(jobs: RestingJobs): Map<Index, Range> {
  const byPrefix = new Map<string, Range>();
  const byIndex = new Map<Index, Range>();
  for (const [, { indexes }] of jobs.shapes()) {
    for (const index of indexes) {
      let range = byIndex.get(index);
      if (!range) {
        const prefix = prefixOf(index);
        const name = JSON.stringify(prefix);
        range = byPrefix.get(name) ?? { prefix, wanted: 0, isProven: false };
        byPrefix.set(name, range);
        byIndex.set(index, range);
      }
      range.wanted += 1;
    }
  }
  return byIndex;
}

/** A list at a time, as others may be nothing but rows; of the other indexes all lanes: there is one for each tag. */
function prefixOf({ lane }: Index): StoreKey {
  return lane[0] === LISTS ? lane : [lane[0]!];
}

async function isProven(
  store: ComparedStore,
  { prefix, wanted }: Range,
  jobs: RestingJobs,
): Promise<boolean> {
  let seen = 0;
  let right = 0;
  for await (const page of pagesOf(store, { prefix })) {
    for (const { key, value } of page) {
      const shape = jobs.shapeOf(key[key.length - 1] as string);
      const index = shape && indexWith(shape, key);
      if (index && sameBytes(index.value, value)) right += 1;
    }
    seen += page.length;
    if (seen > MOST_FOR_ONE * wanted) return false;
  }
  return right === wanted;
}

function* unproven(ranges: ReadonlyMap<Index, Range>, jobs: RestingJobs): Generator<StoreEntry> {
  for (const [id, shape] of jobs.shapes()) {
    for (const index of shape.indexes) {
      if (ranges.get(index)!.isProven) continue;
      yield { key: keyIn(index.lane, shape, id), value: index.value };
    }
  }
}
