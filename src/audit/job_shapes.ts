/**
 * What the log says of a job at rest, in as little memory as can be: which entries it has, each by what it shares with
 * other jobs' entries.
 *
 * All entries of a job but its keys of idempotency and its chunks end in its id; what comes before the id is a lane, in
 * the order of choice without the time. Jobs whose entries are in the same lanes share one shape.
 *
 * @module
 */
import { DUE, LISTS, ROWS } from "../actors/job/keys.ts";
import type { JobStatus } from "../actors/job/job.ts";
import { type JobState, statusOf } from "../actors/job/state.ts";
import { waitingPlace } from "../actors/job/waiting.ts";
import type { StoreEntry, StoreKey } from "../events/store.ts";

/** A key without the id and the time. */
export type Lane = StoreKey;

/** By what the job is counted, and where it waits. */
export interface Cell {
  readonly queue: string;
  readonly jobType: string;
  readonly status: JobStatus;
  /** Its priority's, if it waits since it was created; 0 is low, 3 critical. */
  readonly waitingRank: number | undefined;
}

/** The entry that each job of a shape has in a lane, whose value they share. */
export interface Index {
  readonly lane: Lane;
  readonly value: Uint8Array;
}

export interface JobShape {
  /** `null` when events stand for the row. */
  readonly row: Lane | null;
  readonly indexes: readonly Index[];
  /** `null` for deleted jobs, which count nowhere. */
  readonly cell: Cell | null;
  /** Where the job stands in the order of choice, `null` when it does not. Jobs that differ in it share the rest. */
  readonly time: number | null;
}

/** First parts of the keys whose values can be rows. */
const WITH_ROWS: readonly string[] = [ROWS, "z", LISTS];

/** Whether the entry is a job's row, in the lists or elsewhere. */
export function isRow({ key, value }: StoreEntry): boolean {
  return value.length > 0 && WITH_ROWS.includes(key[0] as string);
}

export class JobShapes {
  readonly #shapes = new Map<string, JobShape>();

  get size(): number {
    return this.#shapes.size;
  }

  /** @param entries Those that the job has, which end in its id. */
  of(state: JobState, entries: readonly StoreEntry[]): JobShape {
    const { phase, queue, jobType } = state;
    const status = statusOf(phase);
    const waitingRank = waitingPlace(state)?.rank;
    let name = `${queue}\n${jobType}\n${status}\n${waitingRank}`;
    for (const entry of entries) {
      const { key } = entry;
      name += isRow(entry) ? "\nrow" : "\n";
      for (let i = 0; i < laneLength(key); i++) name += `\n${key[i]}`;
    }
    let shape = this.#shapes.get(name);
    if (!shape) {
      const row = entries.find(isRow);
      shape = {
        row: row ? laneOf(row.key) : null,
        indexes: entries.filter((entry) => entry !== row).map(({ key, value }) => ({
          lane: laneOf(key),
          value,
        })),
        cell: phase === "deleted" ? null : { queue, jobType, status, waitingRank },
        time: entries.some(({ key }) => key[0] === DUE) ? state.readyAt : null,
      };
      this.#shapes.set(name, shape);
    }
    if (shape.time === null || shape.time === state.readyAt) return shape;
    const { row, indexes, cell } = shape;
    return { row, indexes, cell, time: state.readyAt };
  }
}

/** The key in this lane of a job of this shape. */
export function keyIn(lane: Lane, { time }: JobShape, id: string): StoreKey {
  return lane[0] === DUE ? [...lane, time!, id] : [...lane, id];
}

/** Whether a job of this shape has an entry with this key, which ends in the job's id. */
export function hasEntry(shape: JobShape, key: StoreKey): boolean {
  return shape.row !== null && isIn(shape.row, key) || indexWith(shape, key) !== undefined;
}

/** The index of a job of this shape that has this key, which ends in the job's id. */
export function indexWith({ indexes, time }: JobShape, key: StoreKey): Index | undefined {
  if (key[0] === DUE && key[key.length - 2] !== time) return undefined;
  for (const index of indexes) if (isIn(index.lane, key)) return index;
  return undefined;
}

function isIn(lane: Lane, key: StoreKey): boolean {
  if (lane.length !== laneLength(key)) return false;
  for (let i = 0; i < lane.length; i++) if (lane[i] !== key[i]) return false;
  return true;
}

function laneOf(key: StoreKey): Lane {
  return key.slice(0, laneLength(key));
}

function laneLength(key: StoreKey): number {
  return key.length - (key[0] === DUE ? 2 : 1);
}
