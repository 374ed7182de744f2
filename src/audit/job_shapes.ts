/**
 * What the log says of a job that is done with, in as little memory as can be: which entries it has, each by what it
 * shares with other jobs' entries.
 *
 * All entries of a job but its keys of idempotency and its chunks end in its id; what comes before the id is a lane.
 * Jobs whose entries are in the same lanes share one shape.
 *
 * @module
 */
import { LISTS, ROWS } from "../actors/job/keys.ts";
import type { JobStatus } from "../actors/job/job.ts";
import { type JobState, statusOf } from "../actors/job/state.ts";
import { waitingPlace } from "../actors/job/waiting.ts";
import type { StoreEntry, StoreKey } from "../events/store.ts";

/** A key without the id. */
export type Lane = StoreKey;

/** By what the job is counted, and where it waits. */
export interface Cell {
  readonly queue: string;
  readonly jobType: string;
  readonly status: JobStatus;
  /** Its priority's, if it waits since it was created; 0 is low, 3 critical. */
  readonly waitingRank: number | undefined;
}

export interface JobShape {
  readonly lanes: readonly Lane[];
  /** `null` for deleted jobs, which count nowhere. */
  readonly cell: Cell | null;
}

/** First parts of the keys whose values are rows, those first that have one whatever else there is. */
const WITH_ROWS: readonly string[] = [ROWS, "z", LISTS];

/** Whether the entry is a job's row, in the lists or elsewhere. */
export function isRow({ key, value }: StoreEntry): boolean {
  return value.length > 0 && WITH_ROWS.includes(key[0] as string);
}

export class JobShapes {
  readonly #shapes = new Map<string, JobShape>();

  /** @param entries Those that the job has, which end in its id. */
  of(state: JobState, entries: readonly StoreEntry[]): JobShape {
    const { phase, queue, jobType } = state;
    const status = statusOf(phase);
    const waitingRank = waitingPlace(state)?.rank;
    let name = `${queue}\n${jobType}\n${status}\n${waitingRank}`;
    for (const { key } of entries) {
      for (let i = 0; i < key.length - 1; i++) name += `\n${key[i]}`;
    }
    let shape = this.#shapes.get(name);
    if (!shape) {
      const lanes = entries.map(({ key }) => key.slice(0, -1));
      shape = { lanes, cell: phase === "deleted" ? null : { queue, jobType, status, waitingRank } };
      this.#shapes.set(name, shape);
    }
    return shape;
  }
}

/** Whether a job of this shape has an entry with this key, which ends in the job's id. */
export function hasEntry({ lanes }: JobShape, key: StoreKey): boolean {
  return lanes.some((lane) => lane.length === key.length - 1 && lane.every((part, i) => part === key[i]));
}

/** The key without the id of the job's row, which it has. */
export function rowLaneOf({ lanes }: JobShape): Lane {
  for (const first of WITH_ROWS) {
    const lane = lanes.find((each) => each[0] === first);
    if (lane) return lane;
  }
  throw new Error("The job has no row");
}
