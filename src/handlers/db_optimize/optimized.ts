/**
 * What optimizing one database amounts to, whatever its kind.
 *
 * @module
 */

/** The figures of one database, all measured. */
export interface Optimized {
  readonly tablesAnalyzed: number;
  readonly tablesOptimized: number;
  /** 0 when it grew meanwhile. */
  readonly bytesFreed: number;
  /** What could not be done, each naming the database and what it would take. */
  readonly notes: readonly string[];
}

/** Told how far the work on one database is, 0 to 1, and what it is at. */
export type ReportFraction = (fraction: number, note: string) => void;
