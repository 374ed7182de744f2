/**
 * Rounds in which Daybook and its peers take turns.
 *
 * @module
 */
import { join } from "node:path";
import { middle } from "../statistics.ts";
import type { Finding } from "./assignment.ts";
import type { Contender, Task } from "./contender.ts";
import type { WorkName } from "./work.ts";

export interface Sizes {
  /** Odd. */
  readonly rounds: number;
  readonly jobs: number;
  /** As in an assignment. */
  readonly warmUp: number;
}

/** One work of one contender. */
export interface PeerRow {
  readonly contender: string;
  readonly work: WorkName;
  readonly asked: number;
  readonly done: number;
  readonly per_second: number;
  /** Daybook's rate in the same round, divided by this one. `null` in Daybook's own row. */
  readonly daybook_ratio: number | null;
}

export const DAYBOOK = "daybook";

/**
 * In each round each peer is measured, and Daybook before each peer. Of the rounds the one in the middle is told.
 *
 * @throws {Error} If somebody has not done all that was asked for.
 */
export async function compare(
  daybook: Contender,
  peers: ReadonlyMap<string, Contender>,
  work: WorkName,
  sizes: Sizes,
  folder: string,
): Promise<PeerRow[]> {
  const task = { work, jobs: sizes.jobs, warmUp: sizes.warmUp };
  const ours: Finding[] = [];
  const theirs = new Map([...peers.keys()].map((name) => [name, [] as (Finding & { ratio: number })[]]));
  for (let round = 0; round < sizes.rounds; round++) {
    for (const [name, peer] of peers) {
      const own = await inFolder(daybook, task, folder);
      const found = await inFolder(peer, task, folder);
      ours.push(own);
      theirs.get(name)!.push({ ...found, ratio: own.per_second / found.per_second });
    }
  }
  return [
    row(DAYBOOK, work, middle(ours, ({ per_second }) => per_second), null),
    ...[...theirs].map(([name, rounds]) => {
      const found = middle(rounds, ({ ratio }) => ratio);
      return row(name, work, found, found.ratio);
    }),
  ];
}

async function inFolder(contender: Contender, task: Task, folder: string): Promise<Finding> {
  const own = join(folder, crypto.randomUUID());
  await Deno.mkdir(own);
  try {
    const finding = await contender.measure(task, own);
    const { asked, done } = finding;
    if (done === asked) return finding;
    throw new Error(`${contender.title}, ${task.work}: ${asked} were asked for, ${done} are done`);
  } finally {
    await Deno.remove(own, { recursive: true });
  }
}

function row(
  contender: string,
  work: WorkName,
  { asked, done, per_second }: Finding,
  daybook_ratio: number | null,
): PeerRow {
  return { contender, work, asked, done, per_second, daybook_ratio };
}
