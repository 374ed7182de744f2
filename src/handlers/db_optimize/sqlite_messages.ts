/**
 * What the thread that works on a SQLite file and the one that waits for it say to each other.
 *
 * @module
 */

/** Starts the work; sent once. */
export interface SqliteOrder {
  readonly say: "start";
  readonly name: string;
  readonly path: string;
  /** Daybook's own KV file: its writer must never wait long, see `sqlite_work.ts`. */
  readonly own: boolean;
  /** How long a statement is tried again while others hold the file's lock, in milliseconds. */
  readonly patienceMs: number;
}

/** Ends the work at the next slice or statement. */
export interface SqliteStop {
  readonly say: "stop";
}

export type SqliteReport =
  | { readonly say: "progress"; readonly fraction: number; readonly note: string }
  | { readonly say: "done"; readonly work: SqliteWork }
  | { readonly say: "failed"; readonly message: string; readonly permanent: boolean };

/** What was done inside the file. */
export interface SqliteWork {
  readonly tablesAnalyzed: number;
  readonly tablesOptimized: number;
  readonly notes: readonly string[];
}
