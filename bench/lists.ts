/**
 * Lists, single jobs and counts, read in process from a store of many jobs and from one of a thousand, all over it.
 *
 * @module
 */
import { join } from "node:path";
import { jobIdOf } from "../src/actors/job/events.ts";
import type { Job } from "../src/actors/job/job.ts";
import type { JobFilter } from "../src/actors/jobs.ts";
import type { Runtime } from "../src/actors/runtime.ts";
import { fillFile, TAG } from "./filled_file.ts";
import { type Row, row } from "./measurement.ts";
import { openNoopRuntime } from "./noop_runtime.ts";
import { latency, latencyRatio } from "./statistics.ts";

const PAGE = 50;
const FEW_JOBS = 1_000;
/** Of the log, at each of which a job is looked for among so many events. */
const PLACES = 2_000;
const EVENTS_AT_A_PLACE = 64;
/** A prime, so that a walk in steps of it comes by everything. */
const STRIDE = 211;

const LISTS: readonly { name: string; what: string; filter: JobFilter }[] = [
  { name: "list", what: "a page of 50 jobs", filter: {} },
  { name: "list_status", what: "of one status", filter: { status: "queued" } },
  {
    name: "list_filters",
    what: "of one status, type and queue",
    filter: { status: "queued", job_type: "noop", queue: "default" },
  },
  { name: "list_tag", what: "of a tag", filter: { tag: TAG } },
  { name: "list_tag_status", what: "of a tag and status", filter: { tag: TAG, status: "completed" } },
  { name: "list_scan", what: "of a priority that no job has", filter: { priority: "high" } },
];

/** How long each query takes on the file, which is not being worked on, as a ratio to a file with few jobs of the same kinds. */
export async function measureLists(dir: string, path: string, singles: number): Promise<Row[]> {
  const few = join(dir, "few.kv");
  await fillFile(few, FEW_JOBS / 2, FEW_JOBS / 2);

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
    const ids = await idsAllOver(runtime, 2 * singles);
    const measured = [{
      name: "get",
      what: "one job",
      // Each is asked for once: then it is in memory.
      samples: await sample(singles, (i) => queries.get(ids[i % ids.length]!)),
    }];
    const jobs = (await Promise.all(ids.map((id) => queries.get(id)))).filter((job) => job !== undefined);
    for (const { name, what, filter } of LISTS) {
      const cursors = await cursorsFor(runtime, filter, jobs);
      measured.push({
        name,
        what,
        samples: await sample(
          singles,
          (i) => queries.list(filter, { limit: PAGE, after: cursors[i % cursors.length]! }),
        ),
      });
    }
    measured.push({ name: "stats", what: "counts", samples: await sample(singles, () => queries.stats()) });
    return { total, queries: measured };
  } finally {
    await runtime.log.close();
  }
}

/** So many, unless there are fewer, from places all over the log, in no order, so that no two reads in a row are alike. */
async function idsAllOver({ log }: Runtime, want: number): Promise<string[]> {
  const ids = new Set<string>();
  for (let i = 0; i < PLACES && ids.size < want; i++) {
    const position = Math.floor((i * STRIDE % PLACES) / PLACES * log.position);
    const events = await log.read(position, EVENTS_AT_A_PLACE);
    const created = events.filter(({ event }) => event.type === "job.created");
    const id = created.map(({ event }) => jobIdOf(event.stream)).find((id) => !ids.has(id));
    if (id !== undefined) ids.add(id);
  }
  return [...ids];
}

/** Places for pages to begin at, behind each of which there is something of what the filter names, if anything. */
async function cursorsFor({ jobs: { queries } }: Runtime, filter: JobFilter, jobs: Job[]): Promise<string[]> {
  const { status, tag } = filter;
  if (tag === undefined) {
    return jobs.filter((job) => status === undefined || job.status === status).map(({ id }) => id);
  }
  const ids: string[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await queries.list({ tag }, { limit: PAGE, ...after !== undefined && { after } });
    ids.push(...page.jobs.map(({ id }) => id));
    if (page.next === undefined) return ids.map((_, i) => ids[i * STRIDE % ids.length]!);
    after = page.next;
  }
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
