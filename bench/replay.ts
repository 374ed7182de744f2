/**
 * Replay: how fast the log of a stopped server is folded and all that is shown compared with it.
 *
 * @module
 */
import { replay as replayStore } from "../src/audit/replay.ts";
import { SqliteSnapshot } from "../src/events/sqlite_snapshot.ts";
import { Completions } from "./completions.ts";
import { keepInFlight } from "./keep_in_flight.ts";
import { type Bench, type Measurement, type Row, row } from "./measurement.ts";
import { completionsOf, createNoop, newFile, openNoopRuntime } from "./noop_runtime.ts";
import { middle } from "./statistics.ts";

const IN_FLIGHT = 512;
const EVENTS_PER_JOB = 3;

export const replay: Measurement = { name: "replay", measure: measureReplay };

async function measureReplay({ dir, sizes: { replayed, rounds } }: Bench): Promise<Row[]> {
  const path = newFile(dir);
  await fill(path, replayed);
  const found = [];
  for (let i = 0; i < rounds; i++) found.push(await timed(path));
  const { events, perSecond, rss } = middle(found, (round) => round.perSecond);
  return [
    row("replay", "events replayed, and all that is shown compared with them", {
      asked: EVENTS_PER_JOB * replayed,
      done: events,
      per_second: perSecond,
      memory_mb: { now: rss, peak: null },
    }),
  ];
}

async function timed(path: string): Promise<{ events: number; perSecond: number; rss: number }> {
  const snapshot = SqliteSnapshot.open(path);
  const began = performance.now();
  const { events, violations, differences } = await replayStore(snapshot);
  const perSecond = events / (performance.now() - began) * 1000;
  snapshot.close();
  const wrong = violations.total + differences.total;
  if (wrong > 0) throw new Error(`replay: ${wrong} differences in what the bench wrote`);
  return { events, perSecond, rss: Deno.memoryUsage().rss / 1e6 };
}

async function fill(path: string, jobs: number): Promise<void> {
  const runtime = await openNoopRuntime({ path, concurrency: IN_FLIGHT });
  runtime.start();
  const completions = new Completions(completionsOf(runtime), jobs);
  await keepInFlight(jobs, IN_FLIGHT, async () => completions.of(await createNoop(runtime)));
  await completions.all();
  await runtime.stop();
}
