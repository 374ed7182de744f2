/**
 * Small things that every statement on a SQLite file needs.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";

const RETRY_MS = 5;

/** The value of a PRAGMA that is one number. */
export function numberOf(database: DatabaseSync, pragma: string): number {
  return Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}

/** Whether the statement failed for another connection's lock. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && /database (table )?is locked/.test(error.message);
}

/** When to stop waiting for others' locks. */
export interface Patience {
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/**
 * Runs a statement, again and again while others hold the lock; in between the thread hears of the signal.
 *
 * @throws The reason of `signal`, the statement's error, or, after `patienceMs`, that of the lock.
 */
export async function attempt<T>(statement: () => T, { patienceMs, signal }: Patience): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      return statement();
    } catch (error) {
      if (!isLocked(error) || performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
