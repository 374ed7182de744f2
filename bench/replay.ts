/**
 * Replay: how fast the log of a stopped server is folded and all that is shown compared with it, and how fast it is
 * verified, which hashes every event too. Once of jobs that have run, which leave a row each, and once of jobs that have
 * not, most of whose entries are in indexes of other orders.
 *
 * @module
 */
import { generateKeyPairSync } from "node:crypto";
import { type Replay, replay as replayStore } from "../src/audit/replay.ts";
import { treeThread } from "../src/audit/tree_thread.ts";
import { verify } from "../src/audit/verify.ts";
import type { Store } from "../src/events/store.ts";
import { SqliteSnapshot } from "../src/events/sqlite_snapshot.ts";
import { Completions } from "./completions.ts";
import { keepInFlight } from "./keep_in_flight.ts";
import { type Bench, type Measurement, type Row, row } from "./measurement.ts";
import {
  cancelNoop,
  completionsOf,
  createNoop,
  createVaried,
  newFile,
  openNoopRuntime,
} from "./noop_runtime.ts";
import { middle } from "./statistics.ts";

const IN_FLIGHT = 512;
const EVENTS_PER_JOB = 3;
/** A multiple of 3. */
const BATCH = 999;
const DAY_MS = 86_400_000;

export const replay: Measurement = { name: "replay", measure: measureReplay };

async function measureReplay({ dir, sizes: { replayed, replayedWaiting, rounds } }: Bench): Promise<Row[]> {
  const completed = { path: newFile(dir), events: EVENTS_PER_JOB * replayed };
  await fill(completed.path, replayed);
  const waiting = { path: newFile(dir), events: 4 / 3 * replayedWaiting };
  await fillWaiting(waiting.path, replayedWaiting);
  return [
    await measured(
      "replay",
      "events replayed, and all that is shown compared with them",
      completed,
      replayStore,
    ),
    await measured(
      "verify",
      "events verified: replayed, hashed, and compared with tree and checkpoints",
      completed,
      sealed,
    ),
    await measured(
      "replay_waiting",
      "events replayed of jobs that never ran: scheduled, tagged, cancelled",
      waiting,
      replayStore,
    ),
  ];

  async function measured(name: string, what: string, log: FilledLog, work: Work): Promise<Row> {
    const found = [];
    for (let i = 0; i < rounds; i++) found.push(await timed(log.path, work));
    const { events, perSecond, rss } = middle(found, (round) => round.perSecond);
    return row(name, what, {
      asked: log.events,
      done: events,
      per_second: perSecond,
      memory_mb: { now: rss, peak: null },
    });
  }
}

interface FilledLog {
  readonly path: string;
  readonly events: number;
}
type Work = (store: Store) => Promise<Replay>;

const sealed: Work = async (store) => {
  const found = await verify(store, { grower: treeThread });
  if (found.sealed !== found.events) {
    throw new Error(`verify: ${found.sealed} of ${found.events} events are sealed`);
  }
  return found;
};

async function timed(path: string, work: Work): Promise<{ events: number; perSecond: number; rss: number }> {
  const snapshot = SqliteSnapshot.open(path);
  const began = performance.now();
  const { events, violations, differences } = await work(snapshot);
  const perSecond = events / (performance.now() - began) * 1000;
  snapshot.close();
  const wrong = violations.total + differences.total;
  if (wrong > 0) throw new Error(`replay: ${wrong} differences in what the bench wrote`);
  return { events, perSecond, rss: Deno.memoryUsage().rss / 1e6 };
}

async function fill(path: string, jobs: number): Promise<void> {
  const runtime = await openNoopRuntime({
    path,
    concurrency: IN_FLIGHT,
    signingKey: generateKeyPairSync("ed25519").privateKey,
  });
  runtime.start();
  const completions = new Completions(completionsOf(runtime), jobs);
  await keepInFlight(jobs, IN_FLIGHT, async () => completions.of(await createNoop(runtime)));
  await completions.all();
  await runtime.stop();
}

/** In turns one is scheduled, one waits with tags, and one is cancelled. */
async function fillWaiting(path: string, jobs: number): Promise<void> {
  const runtime = await openNoopRuntime({ path, concurrency: 1 });
  const soonest = Date.now() + DAY_MS;
  const cancelled: string[] = [];
  for (let done = 0; done < jobs; done += BATCH) {
    const turns = Array.from({ length: Math.min(BATCH, jobs - done) / 3 }, (_, n) => [
      // In the order of choice they are not as in the log.
      { scheduled_at: new Date(soonest + Math.floor(Math.random() * DAY_MS)).toISOString() },
      { tags: [`customer-${n % 100}`, `region-${n % 7}`] },
      {},
    ]);
    const ids = await createVaried(runtime, turns.flat());
    cancelled.push(...ids.filter((_, n) => n % 3 === 2));
  }
  await keepInFlight(cancelled.length, IN_FLIGHT, () => cancelNoop(runtime, cancelled.pop()!));
  await runtime.log.close();
}
