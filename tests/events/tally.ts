/**
 * The smallest thing that is kept in a log: named tallies, with a row and an index entry each, and a total of all.
 *
 * `Tallies` decides as the job processor does, on the committed state plus what is staged.
 *
 * @module
 */
import type { Mutations, Projector, StagedAppend } from "../../src/events/append.ts";
import type { EventMeta, NewEvent, StoredEvent } from "../../src/events/event.ts";
import type { EventLog } from "../../src/events/event_log.ts";
import type { Store, StoreEntry, StoreKey } from "../../src/events/store.ts";

export interface Tally {
  readonly stream: string;
  readonly version: number;
  readonly sum: number;
}

export interface TallyChange {
  readonly before: Tally | null;
  readonly after: Tally;
}

export const META: EventMeta = { actor: "tester", request_id: null, causation_id: null, reason: null };

/** An event that adds `amount`, with as many bytes of padding as it is told. */
export function added(amount: number, padding = 0): NewEvent {
  const data = padding === 0 ? { amount } : { amount, padding: "x".repeat(padding) };
  return { type: "tally.added", schema_version: 1, machine_version: 1, data };
}

export function evolve(tally: Tally | null, { event }: StoredEvent): Tally {
  return {
    stream: event.stream,
    version: event.version,
    sum: (tally?.sum ?? 0) + (event.data as { amount: number }).amount,
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const encode = (value: unknown) => encoder.encode(JSON.stringify(value));

export function rowKey(stream: string): StoreKey {
  return ["r", stream];
}

function indexKey({ sum, stream }: Tally): StoreKey {
  return ["i", sum, stream];
}

const TOTAL_KEY: StoreKey = ["t"];

export class TallyProjector implements Projector<TallyChange> {
  #total = 0;
  #totalThen = 0;

  /** To be called before the first append, with what is stored once the log is ours. */
  start(total: number): void {
    this.#total = total;
  }

  project(changes: readonly TallyChange[], events: readonly StoredEvent[]): Mutations {
    const puts: StoreEntry[] = [];
    const deletes: StoreKey[] = [];
    const last = new Map<string, TallyChange>();
    for (const { before, after } of changes) {
      const known = last.get(after.stream);
      last.set(after.stream, { before: known ? known.before : before, after });
    }
    for (const { before, after } of last.values()) {
      puts.push({ key: rowKey(after.stream), value: encode(after) });
      if (before?.sum === after.sum) continue;
      if (before) deletes.push(indexKey(before));
      puts.push({ key: indexKey(after), value: new Uint8Array() });
    }
    this.#totalThen = this.#total + events.length;
    puts.push({ key: TOTAL_KEY, value: encode(this.#totalThen) });
    return { puts, deletes };
  }

  landed(): void {
    this.#total = this.#totalThen;
  }
}

export class Tallies {
  readonly #log: EventLog<TallyChange>;
  readonly #committed = new Map<string, Tally>();
  readonly #staged = new Map<string, Tally>();

  constructor(log: EventLog<TallyChange>, committed: Iterable<Tally> = []) {
    this.#log = log;
    for (const tally of committed) this.#committed.set(tally.stream, tally);
    log.listen({
      landed: (appends) => {
        for (const { change: { after } } of appends) {
          this.#committed.set(after.stream, after);
          if (this.#staged.get(after.stream) === after) this.#staged.delete(after.stream);
        }
      },
      reset: () => this.#staged.clear(),
    });
  }

  /** Stages these events on the stream. */
  append(stream: string, ...events: NewEvent[]): StagedAppend<TallyChange> {
    const before = this.#staged.get(stream) ?? this.#committed.get(stream) ?? null;
    let after: Tally | undefined;
    const append = this.#log.append({
      stream,
      expectedVersion: before?.version ?? 0,
      events,
      meta: META,
      change: (stored) => ({ before, after: after = stored.reduce(evolve, before)! }),
    });
    this.#staged.set(stream, after!);
    return append;
  }

  add(stream: string, amount = 1): StagedAppend<TallyChange> {
    return this.append(stream, added(amount));
  }
}

/** Everything that the projector writes, as it is stored. */
export async function storedView(store: Store) {
  const all = { limit: 100_000 };
  const rows = await store.list({ prefix: ["r"] }, all);
  const index = await store.list({ prefix: ["i"] }, all);
  const total = (await store.get(TOTAL_KEY)).value;
  return {
    rows: rows.map(({ value }) => JSON.parse(decoder.decode(value)) as Tally),
    index: index.map(({ key }) => key),
    total: total === null ? 0 : JSON.parse(decoder.decode(total)) as number,
  };
}

/** The same, folded from the events. */
export function foldedView(events: readonly StoredEvent[]): Awaited<ReturnType<typeof storedView>> {
  const tallies = new Map<string, Tally>();
  for (const stored of events) {
    tallies.set(stored.event.stream, evolve(tallies.get(stored.event.stream) ?? null, stored));
  }
  const rows = [...tallies.values()].sort((a, b) => (a.stream < b.stream ? -1 : 1));
  const index = rows.map(indexKey).sort((a, b) =>
    (a[1] as number) - (b[1] as number) || (a[2]! < b[2]! ? -1 : 1)
  );
  return { rows, index, total: events.length };
}
