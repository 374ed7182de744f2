/**
 * A log of tallies that a suite opens wherever it is told to, with a record of its commits.
 *
 * @module
 */
import type { StoredEvent } from "../../src/events/event.ts";
import { EventLog, type EventLogOptions } from "../../src/events/event_log.ts";
import { monotonicIds } from "../../src/events/ids.ts";
import type { Store } from "../../src/events/store.ts";
import { FaultyStore } from "../support/faulty_store.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { storedView, Tallies, type TallyChange, TallyProjector } from "./tally.ts";

/** Where a log is kept; can be opened again after it was closed. */
export interface Place extends AsyncDisposable {
  open(): Promise<Store>;
}

/** Registers one test of a suite, which gets a place of its own. */
export type LogTest = (title: string, body: (place: Place) => Promise<void>) => void;

/** A log over a store that records its commits. */
export async function openLog(store: Store, options: Partial<EventLogOptions<TallyChange>> = {}) {
  const recorder = new FaultyStore(store);
  const clock = options.clock ?? new ManualClock();
  const projector = new TallyProjector();
  const log = await EventLog.open({
    store: recorder,
    projector,
    newId: monotonicIds(() => clock.now()),
    clock,
    ...options,
  });
  const { rows, total } = await storedView(store);
  projector.start(total);
  return { log, recorder, tallies: new Tallies(log, rows) };
}

export const readAll = (log: EventLog<TallyChange>) => log.read(0, 100_000);
export const positionsOf = (events: readonly StoredEvent[]) => events.map(({ event }) => event.position);
export const inOrder = (count: number) => Array.from({ length: count }, (_, i) => i);
