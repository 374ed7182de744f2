/**
 * The promise that what is shown is what is logged, as a check: every key of a store but events and head is computed
 * anew from the log and compared with what is there.
 *
 * Works on any store, a KV file included, while nobody writes to it.
 *
 * @module
 */
import { equal } from "@std/assert";
import { type JobCounts, noCounts } from "../../src/actors/job/counts.ts";
import { evolve, POSITIONS_PER_CHUNK } from "../../src/actors/job/evolve.ts";
import { chunkKey, countsKey, minuteKey } from "../../src/actors/job/keys.ts";
import { jobEntries } from "../../src/actors/job/projector.ts";
import { runningStart } from "../../src/actors/job/running.ts";
import { encodeJson } from "../../src/actors/job/row.ts";
import { waitingEntries, waitingPlace } from "../../src/actors/job/waiting.ts";
import { type JobState, statusOf } from "../../src/actors/job/state.ts";
import { nextPhase } from "../../src/actors/job/transition_table.ts";
import { decodeEvent, type EventEnvelope, type StoredEvent } from "../../src/events/event.ts";
import { fromPage } from "../../src/events/event_page.ts";
import { decodeHead, EVENTS, headKey } from "../../src/events/head.ts";
import { TILES } from "../../src/events/merkle/tiles.ts";
import type { Store, StoreEntry, StoreKey } from "../../src/events/store.ts";
import { Upcasters } from "../../src/events/upcasters.ts";

export interface ConsistencyOptions {
  /** Idempotency keys that expired before this may be gone: their removal is no event. Default: the log's time. */
  readonly now?: number;
  /** First parts of keys that are not made from the jobs' events, and are passed over. */
  readonly otherPrefixes?: readonly string[];
  readonly upcasters?: Upcasters;
}

/** Throws with every difference, one a line, when the log is unlawful or something was not made from it. */
export async function assertProjectionsMatchLog(
  store: Store,
  options: ConsistencyOptions = {},
): Promise<void> {
  const differences = await projectionDifferences(store, options);
  if (differences.length > 0) {
    const shown = differences.slice(0, 50);
    throw new Error(
      `${differences.length} differences between the log and its projections:\n${shown.join("\n")}`,
    );
  }
}

/** What is wrong, one line for each key or event; empty when all is well. */
export async function projectionDifferences(
  store: Store,
  options: ConsistencyOptions = {},
): Promise<string[]> {
  const upcasters = options.upcasters ?? new Upcasters();
  const entries = await store.list({ prefix: [] }, { limit: Number.MAX_SAFE_INTEGER });
  const events = entries.filter(({ key }) => key[0] === EVENTS)
    .flatMap((page) => fromPage(page).events)
    .map((bytes): StoredEvent => ({ event: upcasters.upcast(decodeEvent(bytes)), bytes }));
  const passedOver = new Set([EVENTS, "h", TILES, "tc", "tk", ...options.otherPrefixes ?? []]);
  const actual = entries.filter(({ key }) => !passedOver.has(key[0] as string));
  const { differences, histories } = foldLog(events);
  const { value: head } = await store.get(headKey(0));
  differences.push(...headDifferences(head, events));
  const now = options.now ?? (head ? decodeHead(head).time : 0);
  return [...differences, ...entryDifferences(actual, expectedEntries(histories, events), now)];
}

interface History {
  readonly state: JobState;
  /** Of all its events, oldest first. */
  readonly positions: readonly number[];
}

function foldLog(events: readonly StoredEvent[]): { differences: string[]; histories: History[] } {
  const differences: string[] = [];
  const states = new Map<string, JobState>();
  const positions = new Map<string, number[]>();
  let time = "";
  events.forEach((stored, i) => {
    const { event } = stored;
    if (event.position !== i) differences.push(`event ${i}: its position says ${event.position}`);
    if (event.time < time) differences.push(`event ${i}: its time ${event.time} is before ${time}`);
    time = event.time;
    if (!event.stream.startsWith("job/")) return;
    const state = states.get(event.stream) ?? null;
    const version = (state?.version ?? 0) + 1;
    if (event.version !== version) differences.push(`event ${i}: version ${event.version}, not ${version}`);
    if (nextPhase(event.machine_version, state?.phase ?? "absent", event) === undefined) {
      differences.push(`event ${i}: no ${event.type} of ${event.stream} while ${state?.phase ?? "absent"}`);
    }
    const after = evolve(state, stored);
    if (!after) return;
    states.set(event.stream, after);
    positions.set(event.stream, [...positions.get(event.stream) ?? [], event.position]);
  });
  const histories = [...states].map(([stream, state]) => ({
    state,
    positions: positions.get(stream)!,
  }));
  return { differences, histories };
}

function headDifferences(head: Uint8Array | null, events: readonly StoredEvent[]): string[] {
  if (!head) return ["there is no head"];
  const { position, time, log_id } = decodeHead(head);
  const last = events.at(-1)?.event;
  const differences = [];
  if (position !== events.length) differences.push(`the head counts ${position} events of ${events.length}`);
  if (last && time !== Date.parse(last.time)) {
    differences.push(`the head is at ${time}, the log at ${last.time}`);
  }
  const strangers = events.filter(({ event }) => event.log_id !== log_id).length;
  if (strangers > 0) differences.push(`${strangers} events are of another log`);
  return differences;
}

function expectedEntries(histories: readonly History[], events: readonly StoredEvent[]): StoreEntry[] {
  const states = histories.map(({ state }) => state);
  const running = states.map((state) => [state.id, runningStart(state)] as const);
  const starts = running.map(([, start]) => start).filter((start) => typeof start === "number");
  const ids = running.filter(([, start]) => start === null).map(([id]) => id);
  return [
    ...states.flatMap(jobEntries),
    ...waitingEntries(states.flatMap((state) => waitingPlace(state) ?? [])),
    ...histories.flatMap(chunks),
    ...lanes(states),
    ...minutes(events.map(({ event }) => event)),
    { key: ["r"], value: encodeJson([...starts.sort((a, b) => a - b), ...ids.sort()]) },
  ];
}

function chunks({ state, positions }: History): StoreEntry[] {
  const spilled = positions.length - state.positions.length;
  return Array.from({ length: spilled / POSITIONS_PER_CHUNK }, (_, n) => ({
    key: chunkKey(state.id, n),
    value: encodeJson(positions.slice(n * POSITIONS_PER_CHUNK, (n + 1) * POSITIONS_PER_CHUNK)),
  }));
}

function lanes(states: readonly JobState[]): StoreEntry[] {
  const counts = new Map<string, { key: StoreKey; counts: ReturnType<typeof noCounts> }>();
  for (const { queue, jobType, phase } of states) {
    if (phase === "deleted") continue;
    const key = countsKey(queue, jobType);
    const lane = counts.get(keyText(key)) ?? { key, counts: noCounts() };
    lane.counts[statusOf(phase)] += 1;
    counts.set(keyText(key), lane);
  }
  return [...counts.values()].map(({ key, counts }) => ({ key, value: encodeJson(counts) }));
}

function minutes(events: readonly EventEnvelope[]): StoreEntry[] {
  const finals = new Map<number, ReturnType<JobCounts["finals"]>>();
  for (const { type, time } of events) {
    const status = /^job\.(completed|failed|cancelled)$/.exec(type)?.[1];
    if (!status) continue;
    const minute = Math.floor(Date.parse(time) / 60_000);
    const counts = finals.get(minute) ?? { completed: 0, failed: 0, cancelled: 0 };
    counts[status as keyof typeof counts] += 1;
    finals.set(minute, counts);
  }
  return [...finals].map(([minute, counts]) => ({ key: minuteKey(minute), value: encodeJson(counts) }));
}

function entryDifferences(
  actual: readonly StoreEntry[],
  expected: readonly StoreEntry[],
  now: number,
): string[] {
  const there = new Map(actual.map((entry) => [keyText(entry.key), entry]));
  // A key of a deleted job that was used anew stands here twice; the later one counts.
  const wanted = new Map(expected.map((entry) => [keyText(entry.key), entry]));
  const differences: string[] = [];
  for (const [name, { key, value }] of wanted) {
    const found = there.get(name);
    if (!found) {
      if (!mayBeAbsent(key, value, now)) {
        differences.push(`${name} is missing, should be ${valueText(value)}`);
      }
    } else if (!sameValue(key, found.value, value)) {
      differences.push(`${name} is ${valueText(found.value)}, should be ${valueText(value)}`);
    }
  }
  for (const [name, { key, value }] of there) {
    if (!wanted.has(name) && !(key[0] === "c" && isNothing(value))) {
      differences.push(`${name} should not be there, is ${valueText(value)}`);
    }
  }
  return differences;
}

function mayBeAbsent([prefix, part]: StoreKey, value: Uint8Array, now: number): boolean {
  if (prefix === "i") return (json(value) as { expires_at: number }).expires_at <= now;
  if (prefix === "x") return (part as number) <= now;
  return prefix === "r" && valueText(value) === "[]";
}

function sameValue([prefix]: StoreKey, a: Uint8Array, b: Uint8Array): boolean {
  if (valueText(a) === valueText(b)) return true;
  return prefix !== "d" && a.length > 0 && b.length > 0 && equal(json(a), json(b));
}

/** Counts of a queue and type that had jobs once. */
function isNothing(value: Uint8Array): boolean {
  return equal(json(value), noCounts());
}

const decoder = new TextDecoder();

function json(value: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(value));
  } catch {
    return { unreadable: value };
  }
}

function valueText(value: Uint8Array): string {
  return decoder.decode(value);
}

function keyText(key: StoreKey): string {
  return JSON.stringify(key);
}
