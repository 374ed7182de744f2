/**
 * What a client's process is told on its standard input, and what it answers on its standard output.
 *
 * Each measurement has a process of its own: no system's heap or compiled code is in the way of another's.
 *
 * @module
 */
import { serveJobs } from "./http_front.ts";
import { type JobSystem, type Work, type WorkerSettings, type WorkName, WORKS } from "./work.ts";

export interface Assignment {
  readonly work: WorkName;
  readonly jobs: number;
  /**
   * Jobs of the same work done before, on a queue of their own, so that the code is compiled. Not where jobs are posted: that
   * takes as many as are measured, on the same queue.
   */
  readonly warmUp: number;
  /** Where the system's store is: a URL or a folder. */
  readonly address: string;
}

export interface Finding {
  readonly per_second: number;
  readonly asked: number;
  /** In the status that the work leaves them in, as the system's own store counts. */
  readonly done: number;
}

/** Opens an empty queue by this name. */
export type OpenSystem = (address: string, queue: string, worker: WorkerSettings) => Promise<JobSystem>;

/** The main program of a client. Where jobs are posted, it serves until it is ended. */
export async function carryOut(open: OpenSystem): Promise<void> {
  const { work, jobs, warmUp, address }: Assignment = await new Response(Deno.stdin.readable).json();
  if (work === "posted") {
    const { port } = await serveJobs(await open(address, "measured", { concurrency: 1 }));
    console.log(`http://127.0.0.1:${port}`);
    return;
  }
  await timed(WORKS[work], warmUp, (worker) => open(address, "warm_up", worker));
  const finding = await timed(WORKS[work], jobs, (worker) => open(address, "measured", worker));
  console.log(JSON.stringify(finding));
}

async function timed(
  { worker, prepare, run, leaves }: Work,
  jobs: number,
  open: (worker: WorkerSettings) => Promise<JobSystem>,
): Promise<Finding> {
  await using system = await open(worker);
  await prepare(system, jobs);
  const began = performance.now();
  await run(system, jobs);
  const per_second = jobs / (performance.now() - began) * 1000;
  return { per_second, asked: jobs, done: (await system.counts())[leaves] };
}
