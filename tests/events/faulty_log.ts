/**
 * A log of tallies over a store that goes wrong as told, with everything that its listeners hear.
 *
 * @module
 */
import type { StagedAppend } from "../../src/events/append.ts";
import { LogFencedError, LogUnavailableError, UnknownOutcomeError } from "../../src/events/errors.ts";
import type { StoredEvent } from "../../src/events/event.ts";
import { EventLog } from "../../src/events/event_log.ts";
import { monotonicIds } from "../../src/events/ids.ts";
import { MemoryStore } from "../../src/events/memory_store.ts";
import type { Store } from "../../src/events/store.ts";
import { FaultyStore } from "../support/faulty_store.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { storedView, Tallies, type TallyChange, TallyProjector } from "./tally.ts";

export interface FaultyLog {
  readonly clock: ManualClock;
  /** What lies under the faults. */
  readonly disk: Store;
  readonly store: FaultyStore;
  readonly log: EventLog<TallyChange>;
  readonly tallies: Tallies;
  /** `landed <stream>`, `reset`, `health true` and `health false`, as the listeners heard it. */
  readonly heard: string[];
}

/** Opens a log on `disk`, which takes it over when another has it. `spoil` may put faults into the opening. */
export async function openFaultyLog(
  disk: Store = new MemoryStore(),
  clock: ManualClock = new ManualClock(),
  spoil: (store: FaultyStore) => void = () => {},
): Promise<FaultyLog> {
  const store = new FaultyStore(disk);
  spoil(store);
  const projector = new TallyProjector();
  const log = await EventLog.open({
    store,
    projector,
    newId: monotonicIds(() => clock.now()),
    clock,
    deadlineMs: 5_000,
    unknownAfterMs: 2_000,
  });
  const { rows, total } = await storedView(disk);
  projector.start(total);
  const heard: string[] = [];
  log.listen({
    landed: (appends) => heard.push(...appends.map(({ stream }) => `landed ${stream}`)),
    reset: () => heard.push("reset"),
    health: ({ ok }) => heard.push(`health ${ok}`),
  });
  return { clock, disk, store, log, tallies: new Tallies(log, rows), heard };
}

export type Answer = "pending" | "landed" | "unavailable" | "fenced" | "unknown";

/** What the caller of an append is told, as it comes in. */
export class Caller {
  readonly events: readonly StoredEvent[];
  answer: Answer = "pending";
  /** What the `settled` of an unknown outcome came to. */
  settled: "pending" | "landed" | "lost" = "pending";

  constructor({ events, landed }: StagedAppend<TallyChange>) {
    this.events = events;
    landed.then(() => this.answer = "landed", (error) => {
      this.answer = answerOf(error);
      if (error instanceof UnknownOutcomeError) error.settled.then((fate) => this.settled = fate);
    });
  }
}

function answerOf(error: unknown): Answer {
  if (error instanceof UnknownOutcomeError) return "unknown";
  if (error instanceof LogUnavailableError) return "unavailable";
  if (error instanceof LogFencedError) return "fenced";
  throw error;
}
