/**
 * Latency on an idle system, against single commits of one key in the same pauses.
 *
 * A job's time runs from the call that creates it to the first line of its handler, so it holds the commit that makes
 * the job durable. Jobs and raw commits take turns, so that whatever else the machine does meets both.
 *
 * @module
 */
import { type Bench, type Measurement, type Row, row } from "./measurement.ts";
import { Completions } from "./completions.ts";
import { completionsOf, createNoop, newFile, openNoopRuntime } from "./noop_runtime.ts";
import { latency, latencyRatio } from "./statistics.ts";

/** About the size of a job's row. */
const VALUE_BYTES = 512;

export const idle: Measurement = { name: "idle", measure: measureIdle };

async function measureIdle({ dir, sizes: { singles, warmUp, pauseMs } }: Bench): Promise<Row[]> {
  const ours: number[] = [];
  const theirs: number[] = [];
  let created = 0;
  let started = 0;
  const kv = await Deno.openKv(newFile(dir));
  const runtime = await openNoopRuntime({
    path: newFile(dir),
    concurrency: 10,
    onStarted: () => started = performance.now(),
  });
  const value = new Uint8Array(VALUE_BYTES);
  const commitOne = async (n: number): Promise<number> => {
    const began = performance.now();
    await kv.atomic().set(["k", n], value).commit();
    return performance.now() - began;
  };
  try {
    runtime.start();
    for (let n = 0; n < warmUp + singles; n++) {
      const warm = n >= warmUp;
      if (warm) await pause(pauseMs);
      const completions = new Completions(completionsOf(runtime), 1);
      created = performance.now();
      await createNoop(runtime);
      await completions.all();
      if (warm) ours.push(started - created);

      if (warm) await pause(pauseMs);
      const raw = await commitOne(n);
      if (warm) theirs.push(raw);
    }
    const { by_status } = await runtime.jobs.queries.stats();
    const [job, commit] = [latency(ours), latency(theirs)];
    return [
      row("commit", "one raw commit of one key, idle", {
        asked: singles,
        done: theirs.length,
        latency_ms: commit,
      }),
      row("idle", "job created to handler started, idle", {
        asked: singles,
        done: by_status.completed - warmUp,
        latency_ms: job,
        reference: {
          what: "one raw commit",
          per_second: null,
          latency_ms: commit,
          ratio: latencyRatio(job, commit),
        },
      }),
    ];
  } finally {
    await runtime.stop();
    kv.close();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
