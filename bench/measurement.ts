/**
 * What a measurement is, and the one shape of what it finds.
 *
 * @module
 */

export interface Measurement {
  /** As `--only` names it. */
  readonly name: string;
  /** @throws {Error} If the counts afterwards are not what was asked for: a figure of lost work is worth nothing. */
  measure(bench: Bench): Promise<readonly Row[]>;
}

/** What every measurement is given. */
export interface Bench {
  /** An empty folder for its files, removed afterwards. */
  readonly dir: string;
  readonly sizes: Sizes;
}

export interface Sizes {
  /** Each figure is taken this often and the middle one is told. Odd. */
  readonly rounds: number;
  /** Jobs created and completed in a round. */
  readonly jobs: number;
  /** Jobs that wait before a drain, and that are added without workers. */
  readonly waiting: number;
  /** Jobs in the log, completed and then waiting, that a server is started on; and how many wait at most. */
  readonly stored: { readonly completed: number; readonly waiting: number; readonly mostWaiting: number };
  /** Completed jobs in the log that is replayed. */
  readonly replayed: number;
  /** Jobs in the log that is replayed of which none has run. A multiple of 3. */
  readonly replayedWaiting: number;
  /** HTTP requests in a round. */
  readonly requests: number;
  /** Work done before the clock starts, so that the code is compiled. */
  readonly warmUp: number;
  /** Single commits, and single jobs on an idle system. */
  readonly singles: number;
  /** Milliseconds between two of those. */
  readonly pauseMs: number;
}

export const FULL: Sizes = {
  rounds: 3,
  jobs: 10_000,
  waiting: 20_000,
  stored: { completed: 300_000, waiting: 100_000, mostWaiting: 1_000_000 },
  replayed: 33_334,
  replayedWaiting: 45_000,
  requests: 20_000,
  warmUp: 3_000,
  singles: 200,
  pauseMs: 10,
};

export const QUICK: Sizes = {
  rounds: 1,
  jobs: 300,
  waiting: 300,
  stored: { completed: 300, waiting: 100, mostWaiting: 600 },
  replayed: 300,
  replayedWaiting: 300,
  requests: 300,
  warmUp: 50,
  singles: 10,
  pauseMs: 2,
};

/** A line of the table. What a measurement does not tell is `null`. */
export interface Row {
  readonly name: string;
  readonly what: string;
  /** What was asked for, and how many were found done afterwards. */
  readonly asked: number;
  readonly done: number;
  readonly per_second: number | null;
  readonly latency_ms: Latency | null;
  /** What the figures are compared with, measured in the same round, and how many times as much ours are. */
  readonly reference: Reference | null;
  readonly memory_mb: Memory | null;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

export interface Reference {
  readonly what: string;
  readonly per_second: number | null;
  readonly latency_ms: Latency | null;
  /** Ours divided by it: of rates, or of the two latencies. */
  readonly ratio: number | Latency;
}

/** Resident memory of the process that did the work, in decimal megabytes. */
export interface Memory {
  readonly now: number;
  /** `null` where the system does not tell. */
  readonly peak: number | null;
}

export function row(name: string, what: string, found: Partial<Row> & Pick<Row, "asked" | "done">): Row {
  if (found.asked !== found.done) {
    throw new Error(`${name}: ${found.asked} were asked for, ${found.done} are done`);
  }
  return { name, what, per_second: null, latency_ms: null, reference: null, memory_mb: null, ...found };
}
