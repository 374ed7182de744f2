/**
 * Lists, single jobs and counts, read in process from a store of many jobs and from one of a thousand.
 *
 * @module
 */
import { join } from "node:path";
import type { Job } from "../src/actors/job/job.ts";
import type { JobFilter, JobQueries } from "../src/actors/jobs.ts";
import { addJobs } from "./added.ts";
import { type Row, row } from "./measurement.ts";
import { createNoop, openNoopRuntime } from "./noop_runtime.ts";
import { latency, latencyRatio } from "./statistics.ts";

const PAGE = 50;
const FEW_JOBS = 1_000;
const IN_FLIGHT = 256;

const LISTS: readonly { name: string; what: string; filter: JobFilter }[] = [
  { name: "list", what: "a page of 50 jobs", filter: {} },
  { name: "list_status", what: "of one status", filter: { status: "queued" } },
  {
    name: "list_filters",
    what: "of one status, type and queue",
    filter: { status: "queued", job_type: "noop", queue: "default" },
  },
  { name: "list_scan", what: "of a priority that no job has", filter: { priority: "high" } },
];

/** How long each query takes on the file, which is not being worked on, as a ratio to a file with few jobs. */
export async function measureLists(dir: string, path: string, singles: number): Promise<Row[]> {
  const few = join(dir, "few.kv");
  const small = await openNoopRuntime({ path: few, concurrency: 1 });
  await addJobs(small, FEW_JOBS, IN_FLIGHT);
  await small.log.close();

  const [theirs, ours] = [await timesOf(few, singles), await timesOf(path, singles)];
  const total = ours.total.toLocaleString("en");
  return ours.queries.map(({ name, what, samples }, i) => {
    const [large, reference] = [latency(samples), latency(theirs.queries[i]!.samples)];
    return row(name, `${what}, ${total} jobs stored`, {
      asked: singles,
      done: samples.length,
      latency_ms: large,
      reference: {
        what: `${FEW_JOBS.toLocaleString("en")} jobs`,
        per_second: null,
        latency_ms: reference,
        ratio: latencyRatio(large, reference),
      },
    });
  });
}

interface Times {
  readonly total: number;
  readonly queries: { readonly name: string; readonly what: string; readonly samples: number[] }[];
}

async function timesOf(path: string, singles: number): Promise<Times> {
  const runtime = await openNoopRuntime({ path, concurrency: 1 });
  try {
    const { queries } = runtime.jobs;
    const { total } = await queries.stats();
    // A job of this process would be answered from memory.
    const oldest = await someJobs(queries);
    await createNoop(runtime);
    const measured = [{
      name: "get",
      what: "one job",
      samples: await sample(singles, (i) => queries.get(oldest[i % oldest.length]!.id)),
    }];
    for (const { name, what, filter } of LISTS) {
      measured.push({
        name,
        what,
        samples: await sample(singles, () => queries.list(filter, { limit: PAGE })),
      });
    }
    measured.push({ name: "stats", what: "counts", samples: await sample(singles, () => queries.stats()) });
    return { total, queries: measured };
  } finally {
    await runtime.log.close();
  }
}

async function someJobs(queries: JobQueries): Promise<Job[]> {
  return (await queries.list({}, { limit: 500 })).jobs;
}

/** Milliseconds of each call, after as many to warm up; no two calls have the same number. */
async function sample(calls: number, call: (i: number) => Promise<unknown>): Promise<number[]> {
  for (let i = 0; i < calls; i++) await call(i);
  const samples = [];
  for (let i = calls; i < 2 * calls; i++) {
    const began = performance.now();
    await call(i);
    samples.push(performance.now() - began);
  }
  return samples;
}
