/**
 * Random logs with all that is folded from them, and random damage.
 *
 * @module
 */
import fc from "fast-check";
import { TransitionRefusedError } from "../../../src/actors/errors.ts";
import { expiringRecords } from "../../../src/actors/expiring_records.ts";
import { hashOfKey, newRecord } from "../../../src/actors/idempotency.ts";
import type { JobSpec } from "../../../src/actors/jobs.ts";
import { headKey } from "../../../src/events/head.ts";
import { MemoryStore } from "../../../src/events/memory_store.ts";
import type { Store, StoreEntry, StoreKey } from "../../../src/events/store.ts";
import { anySpec, anyWish, type Wish } from "../../actors/support/commands.ts";
import { logOfJobs, TESTER } from "../../actors/support/log_of_jobs.ts";
import { ManualClock } from "../../support/manual_clock.ts";

const HOUR_MS = 3_600_000;

export type Step =
  | { do: "create"; spec: JobSpec; key: string | null }
  | { do: "wish"; job: number; wish: Wish; times: number }
  | { do: "land" }
  | { do: "pass"; ms: number }
  | { do: "expire" };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("create" as const),
      spec: anySpec,
      key: fc.option(fc.constantFrom("key-a", "key-b", "key-c"), { nil: null }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("wish" as const),
      job: fc.nat({ max: 30 }),
      wish: anyWish,
      times: fc.constant(1),
    }),
  },
  {
    // A history that is long enough for chunks.
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("wish" as const),
      job: fc.nat({ max: 30 }),
      wish: fc.constant<Wish>((state) => ({
        type: "progress",
        attempt: state?.attempt ?? 0,
        percent: 1,
        note: null,
      })),
      times: fc.integer({ min: 100, max: 300 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("land" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.nat({ max: 30 * HOUR_MS }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("expire" as const) }) },
);

export const anyLog = fc.array(anyStep, { minLength: 5, maxLength: 60, size: "max" });

/** Does these steps, those that are refused left out. */
export async function storeOf(
  steps: readonly Step[],
  store: Store = new MemoryStore(),
): Promise<{ store: Store; now: number }> {
  const clock = new ManualClock();
  // In steps that do not wait, days pass while a commit is under way.
  const { log, states, processor } = await logOfJobs({ store, clock, deadlineMs: 24 * 24 * HOUR_MS });
  const ids: string[] = [];
  for (const step of steps) {
    if (step.do === "create") {
      const record = step.key && newRecord(hashOfKey("tester", step.key), "body", clock.now());
      ids.push(
        processor.create({ type: "create", spec: step.spec, idempotency: record || null }, TESTER).after.id,
      );
    } else if (step.do === "wish" && ids.length > 0) {
      const id = ids[step.job % ids.length]!;
      for (let n = 0; n < step.times; n++) {
        const state = states.peek(id)!;
        try {
          processor.stage(id, state, step.wish(state), TESTER);
        } catch (error) {
          if (!(error instanceof TransitionRefusedError)) throw error;
          break;
        }
      }
    } else if (step.do === "land") await log.drain();
    else if (step.do === "pass") clock.advance(step.ms);
    else if (step.do === "expire") {
      await log.drain();
      const { signal } = new AbortController();
      await expiringRecords(store, {} as never, TESTER).deleteExpired(new Date(clock.now()), signal);
    }
  }
  await log.drain();
  return { store, now: clock.now() };
}

/** Writes past the log. */
export async function tamper(store: Store, puts: readonly StoreEntry[], deletes: readonly StoreKey[] = []) {
  const { versionstamp } = await store.get(headKey(0));
  await store.commit({ check: { key: headKey(0), versionstamp }, puts, deletes });
}

export type Damage = (entries: readonly StoreEntry[]) => { puts: StoreEntry[]; deletes: StoreKey[] };

const anyValue = fc.oneof(
  fc.constantFrom("", "{}", "[]", '{"completed":1}', "not JSON", '{"id":"x","version":2}').map((text) =>
    new TextEncoder().encode(text)
  ),
  fc.uint8Array({ maxLength: 4 }),
);
const STRANGERS: StoreKey[] = [
  ["a"],
  ["0l", "queued"],
  ["p", "nobody", 0],
  ["q", "unknown", "kind"],
  ["x", 12, "nothing"],
  ["zz", 1],
  [7, "number"],
];

/** What somebody may do to an entry that is not of the log itself. */
export const anyDamage: fc.Arbitrary<Damage> = fc.oneof(
  fc.nat().map((n): Damage => (entries) => ({ puts: [], deletes: [pick(entries, n).key] })),
  fc.tuple(fc.nat(), anyValue).map(([n, value]): Damage => (entries) => ({
    puts: [{ key: pick(entries, n).key, value }],
    deletes: [],
  })),
  fc.tuple(fc.nat(), fc.nat()).map(([n, m]): Damage => (entries) => ({
    puts: [{ key: pick(entries, n).key, value: pick(entries, m).value }],
    deletes: [],
  })),
  fc.tuple(fc.nat(), fc.nat(), fc.constantFrom<string | number>("x", "completed", 0, 3, -1)).map((
    [n, at, part],
  ): Damage =>
  (entries) => {
    const { key, value } = pick(entries, n);
    return {
      puts: [{ key: key.with(key.length > 1 ? 1 + at % (key.length - 1) : 0, part), value }],
      deletes: [],
    };
  }),
  fc.tuple(fc.constantFrom(...STRANGERS), anyValue).map(([key, value]): Damage => () => ({
    puts: [{ key, value }],
    deletes: [],
  })),
);

function pick(entries: readonly StoreEntry[], n: number): StoreEntry {
  return entries[n % entries.length]!;
}

/** All that is folded from the log. */
export async function viewsOf(store: Store): Promise<StoreEntry[]> {
  const entries = await store.list({ prefix: [] }, { limit: 1e6 });
  return entries.filter(({ key }) => key[0] !== "0e" && key[0] !== "h");
}

/** What somebody may do to the pages of the log. */
export const anyLogDamage: fc.Arbitrary<Damage> = fc.oneof(
  fc.nat().map((n): Damage => (pages) => ({ puts: [], deletes: [pick(pages, n).key] })),
  fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 0, max: 255 })).map(([n, at, byte]): Damage => (pages) => {
    const { key, value } = pick(pages, n);
    return { puts: [{ key, value: value.with(at % value.length, byte) }], deletes: [] };
  }),
  fc.tuple(fc.nat(), fc.nat()).map(([n, m]): Damage => (pages) => ({
    puts: [{ key: pick(pages, n).key, value: pick(pages, m).value }],
    deletes: [],
  })),
  fc.tuple(fc.nat(), fc.nat({ max: 30 })).map(([n, position]): Damage => (pages) => ({
    puts: [{ key: ["0e", 0, position], value: pick(pages, n).value }],
    deletes: [],
  })),
  fc.tuple(fc.nat(), fc.constantFrom("reverse", "repeat", "cut")).map(([n, how]): Damage => (pages) => {
    const { key, value } = pick(pages, n);
    const lines = new TextDecoder().decode(value).split("\n");
    const changed = how === "reverse"
      ? lines.toReversed()
      : how === "repeat"
      ? [...lines, lines[0]!]
      : lines.slice(1);
    return { puts: [{ key, value: new TextEncoder().encode(changed.join("\n")) }], deletes: [] };
  }),
  fc.tuple(
    fc.nat(),
    fc.constantFrom("time", "version", "type", "stream", "machine_version", "data", "log_id"),
    fc.jsonValue({ maxDepth: 1 }),
  )
    .map(([n, field, value]): Damage => (pages) => {
      const page = pick(pages, n);
      const lines = new TextDecoder().decode(page.value).split("\n");
      const event = { ...JSON.parse(lines[0]!), [field]: value };
      const changed = [JSON.stringify(event), ...lines.slice(1)].join("\n");
      return { puts: [{ key: page.key, value: new TextEncoder().encode(changed) }], deletes: [] };
    }),
);
