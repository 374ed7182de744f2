/**
 * Rounds of work in this process, each compared with raw Deno KV commits of what the same work wrote.
 *
 * @module
 */
import type { Runtime } from "../src/actors/runtime.ts";
import type { JobStatus } from "../src/actors/job/job.ts";
import type { Commit } from "../src/events/store.ts";
import { replay } from "./commits.ts";
import { type Bench, type Row, row } from "./measurement.ts";
import { newFile, openNoopRuntime } from "./noop_runtime.ts";
import { middle } from "./statistics.ts";

export interface Workload {
  readonly name: string;
  readonly what: string;
  readonly concurrency: number;
  /** Jobs in a round. */
  readonly jobs: number;
  /** What is done before the clock starts. */
  readonly prepare: (runtime: Runtime, jobs: number) => Promise<void>;
  /** What is timed. */
  readonly run: (runtime: Runtime, jobs: number) => Promise<void>;
  /** In which status the jobs of a round are afterwards. */
  readonly leaves: JobStatus;
  /** How the runtime is closed. */
  readonly close: (runtime: Runtime) => Promise<void>;
}

/**
 * In each round: the work on a fresh file, timed; half as much of it again, recorded; what was recorded, replayed on a
 * fresh file. The round with the middle ratio is told.
 */
export async function measureWorkload(bench: Bench, workload: Workload): Promise<Row> {
  const rounds = [];
  for (let i = 0; i < bench.sizes.rounds; i++) {
    const { perSecond, done } = await timed(bench, workload, workload.jobs);
    const rss = Deno.memoryUsage().rss / 1e6;
    const rawPerSecond = await raw(bench, workload, Math.ceil(workload.jobs / 2));
    rounds.push({ perSecond, done, rss, rawPerSecond, ratio: perSecond / rawPerSecond });
  }
  const { perSecond, done, rss, rawPerSecond, ratio } = middle(rounds, (round) => round.ratio);
  return row(workload.name, workload.what, {
    asked: workload.jobs,
    done,
    per_second: perSecond,
    reference: { what: "raw commits of the same bytes", per_second: rawPerSecond, latency_ms: null, ratio },
    memory_mb: { now: rss, peak: null },
  });
}

async function raw(bench: Bench, workload: Workload, jobs: number): Promise<number> {
  const commits: Commit[] = [];
  const { from } = await timed(bench, workload, jobs, commits);
  return jobs / (await replay(newFile(bench.dir), commits, from)) * 1000;
}

/** `from` is the number of commits before the clock started. */
async function timed(
  { dir }: Bench,
  { concurrency, prepare, run, leaves, close }: Workload,
  jobs: number,
  recordTo?: Commit[],
): Promise<{ perSecond: number; done: number; from: number }> {
  const runtime = await openNoopRuntime({ path: newFile(dir), concurrency, recordTo });
  try {
    await prepare(runtime, jobs);
    const before = (await runtime.jobs.queries.stats()).by_status[leaves];
    const from = recordTo?.length ?? 0;
    const began = performance.now();
    await run(runtime, jobs);
    const perSecond = jobs / (performance.now() - began) * 1000;
    const done = (await runtime.jobs.queries.stats()).by_status[leaves] - before;
    return { perSecond, done, from };
  } finally {
    await close(runtime);
  }
}
