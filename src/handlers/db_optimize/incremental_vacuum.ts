/**
 * Gives the free pages of a SQLite file with `auto_vacuum=INCREMENTAL` back to the file system while others write.
 *
 * Each slice holds the write lock for a few milliseconds, and between slices the lock is free for three times as long.
 * That matters more than it seems: a writer that finds the lock taken sleeps 1, 2, 5 … 100 ms (SQLite's busy handler)
 * before it looks again, so slices in close order starve it. Beside Deno KV with one commit after the other, 300 MB to
 * free, on two cores:
 *
 * | slices | longest commit |
 * | --- | --- |
 * | none | 5 to 12 ms |
 * | 2,000 pages, 1 ms apart | 932 ms; 15 commits a second instead of 2,100 |
 * | 200 pages, 1 ms apart | 438 ms |
 * | by time: 4 ms, 12 ms apart (this) | 41 to 77 ms, 99 % under 6 ms; twice of 30,000 over 100 ms while other programs kept both cores busy |
 *
 * A commit that fails with `database is locked` meanwhile is tried again by the log's store. A slice is bounded by time
 * and not by pages, for a page costs from 10 µs (already at the end of the file) to 125 µs (to be moved, long list of
 * free pages).
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { ReportFraction } from "./optimized.ts";
import { attempt, numberOf, type Patience } from "./sqlite_statements.ts";

const HOLD_MS = 4;
const PAUSE_PER_HOLD = 3;
const MIN_PAUSE_MS = 5;
const FIRST_SLICE_PAGES = 20;
const MIN_SLICE_PAGES = 8;
const MAX_SLICE_PAGES = 1_000;

/** Pages of the file that hold nothing. */
export function freePages(database: DatabaseSync): number {
  return numberOf(database, "freelist_count");
}

/**
 * Gives back all pages that are free when it starts; what becomes free meanwhile may be left.
 *
 * @returns How many pages that was.
 */
export async function giveBackFreePages(
  database: DatabaseSync,
  patience: Patience,
  report: ReportFraction,
): Promise<number> {
  // Nothing is lost when a slice is: the pages are free either way. So no slice waits for the disk.
  database.exec("PRAGMA synchronous = NORMAL");
  const goal = freePages(database);
  let given = 0;
  let slice = FIRST_SLICE_PAGES;
  while (given < goal) {
    report(given / goal, `${given} of ${goal} free pages given back`);
    await attempt(() => database.exec("BEGIN IMMEDIATE"), patience);
    const locked = performance.now();
    const freed = giveBackSlice(database, Math.min(slice, goal - given));
    const heldMs = performance.now() - locked;
    // A writer filled the free pages meanwhile.
    if (freed === 0) break;
    given += freed;
    const fit = Math.min(2, HOLD_MS / heldMs);
    slice = Math.round(Math.min(MAX_SLICE_PAGES, Math.max(MIN_SLICE_PAGES, slice * fit)));
    await new Promise((resolve) => setTimeout(resolve, Math.max(MIN_PAUSE_MS, heldMs * PAUSE_PER_HOLD)));
  }
  return given;
}

function giveBackSlice(database: DatabaseSync, pages: number): number {
  try {
    const before = freePages(database);
    // `all` steps through it to the end; `exec` and `run` stop after the first page.
    database.prepare(`PRAGMA incremental_vacuum(${pages})`).all();
    const freed = before - freePages(database);
    database.exec("COMMIT");
    return freed;
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
