/**
 * Finds the rows of jobs that no entry of the lists led to: by their ids, and by what their first events say of where else
 * they may be (`job/stored.ts`).
 *
 * @module
 */
import type { Store, StoreKey } from "../events/store.ts";
import { Bitmaps } from "./job/bitmaps.ts";
import type { JobStatus } from "./job/job.ts";
import { laneKey, LISTS, rowKey, ROWS, tombstoneKey } from "./job/keys.ts";
import type { JobState } from "./job/state.ts";
import { LISTED_STATUSES } from "./job/stored.ts";
import { waitingPlace } from "./job/waiting.ts";

export interface SoughtJob {
  readonly id: string;
  /** The job after its first event; `null` if the id leads to none. */
  readonly origin: JobState | null;
}

/** Where rows are sought, to look at few keys. */
export interface Search {
  /** The likeliest first; not processing. */
  readonly statuses: readonly JobStatus[];
  /** Whether jobs in any other status may be left out; else those are sought anywhere. */
  readonly only: boolean;
}

/** `null` where events stand for the job, `undefined` where it may be left out. */
export type FoundRow = Uint8Array | null | undefined;

/** Deno KV reads ten keys at a time, so fewer are as quick one by one. */
const WORTH_A_RANGE = 20;

/** Rows under the ids themselves. */
export function ownRows(store: Store, ids: readonly string[]): Promise<(Uint8Array | null)[]> {
  return valuesUnder(store, [ROWS], ids);
}

/** All places where a job's row may be are read at once, so that one which moves is found in one of them. */
export function rowsAnywhere(
  store: Store,
  jobs: readonly SoughtJob[],
): Promise<(Uint8Array | null)[]> {
  return Promise.all(jobs.map(async ({ id, origin }) => {
    const keys: StoreKey[] = [rowKey(id), tombstoneKey(id)];
    if (origin) {
      for (const status of LISTED_STATUSES) keys.push([...laneKey(status, origin.queue, origin.jobType), id]);
    }
    const values = await store.getMany(keys);
    return values.find((value) => value !== null && value.length > 0) ?? null;
  }));
}

/** The places are read one after another: a job that changes meanwhile may be left out, or answered as it was. */
export async function rowsBySearch(
  store: Store,
  jobs: readonly SoughtJob[],
  { statuses, only }: Search,
): Promise<FoundRow[]> {
  const found = new Map<string, Uint8Array | null>();
  const left = () => jobs.filter(({ id }) => !found.has(id));
  const [own, waiting] = await Promise.all([
    ownRows(store, jobs.map(({ id }) => id)),
    statuses.includes("queued") ? waitingSinceCreation(store, jobs) : [],
  ]);
  for (const id of waiting) found.set(id, null);
  // One that waits since its creation and was changed has a row as well.
  jobs.forEach(({ id }, i) => own[i] && found.set(id, own[i]));
  for (const status of statuses) {
    for (const [id, entry] of await entriesOf(store, left(), status)) {
      // One without a row is of a job that was created for later.
      found.set(id, entry.length > 0 ? entry : null);
    }
  }
  if (!only) {
    const rest = left();
    const rows = await rowsAnywhere(store, rest);
    rest.forEach(({ id }, i) => found.set(id, rows[i]!));
  }
  return jobs.map(({ id }) => found.get(id));
}

/** The entries in the lists, by id, of jobs in this status that are in the queue that their first events name. */
async function entriesOf(
  store: Store,
  jobs: readonly SoughtJob[],
  status: JobStatus,
): Promise<[string, Uint8Array][]> {
  const lanes = new Map<string, string[]>();
  for (const { id, origin } of jobs) {
    if (!origin) continue;
    const lane = laneKey(status, origin.queue, origin.jobType)[1] as string;
    const ids = lanes.get(lane);
    if (ids) ids.push(id);
    else lanes.set(lane, [id]);
  }
  const parts = await Promise.all([...lanes].map(async ([lane, ids]) => {
    const values = await valuesUnder(store, [LISTS, lane], ids);
    return ids.flatMap((id, i): [string, Uint8Array][] => values[i] ? [[id, values[i]]] : []);
  }));
  return parts.flat();
}

/** Ids of those that wait since their creation in the queue and with the priority that their first events name. */
async function waitingSinceCreation(store: Store, jobs: readonly SoughtJob[]): Promise<string[]> {
  const bitmaps = new Bitmaps();
  const places = jobs.flatMap(({ id, origin }) => {
    const place = origin ? waitingPlace(origin) : undefined;
    return place ? [{ id, position: place.position, bitmap: bitmaps.obtain(place) }] : [];
  });
  const asked = [...bitmaps.values()];
  const values = await store.getMany(asked.map(({ key }) => key));
  asked.forEach((bitmap, i) => values[i] && bitmap.load(values[i]));
  return places.filter(({ bitmap, position }) => bitmap.has(position)).map(({ id }) => id);
}

/** The values of keys that end in these ids. */
export async function valuesUnder(
  store: Store,
  prefix: StoreKey,
  ids: readonly string[],
): Promise<(Uint8Array | null)[]> {
  const inRange = ids.length < WORTH_A_RANGE ? undefined : await valuesInRange(store, prefix, ids);
  return inRange ?? await store.getMany(ids.map((id) => [...prefix, id]));
}

/** Many ids that were created one after another are one range; `undefined` when too much else lies in it. */
async function valuesInRange(
  store: Store,
  prefix: StoreKey,
  ids: readonly string[],
): Promise<(Uint8Array | null)[] | undefined> {
  const sorted = [...ids].sort();
  const start = [...prefix, sorted[0]!];
  const end = [...prefix, sorted.at(-1)!, ""];
  const limit = 2 * ids.length;
  const entries = await store.list({ prefix, start, end }, { limit });
  if (entries.length === limit) return undefined;
  const found = new Map(entries.map(({ key, value }) => [key.at(-1), value]));
  return ids.map((id) => found.get(id) ?? null);
}
