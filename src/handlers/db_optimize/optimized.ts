/**
 * What the optimization of one database did.
 *
 * @module
 */
export interface Optimized {
  readonly tablesAnalyzed: number;
  readonly tablesOptimized: number;
  /** Measured by the database itself, before and after. */
  readonly bytesFreed: number;
  /** What could not be done, and what it would need; a sentence each. */
  readonly notes: readonly string[];
}
