/**
 * Repair: makes everything that is folded from the log what the log says, never the other way round.
 *
 * Works in slices, each of which lands only if nobody else has written to the log, so it needs the store to itself.
 * Events and head are never touched.
 *
 * @module
 */
import { headKey } from "../events/head.ts";
import { keyBytes, type Store, type StoreEntry, type StoreKey } from "../events/store.ts";
import { describeViolation } from "./describe.ts";
import type { Difference, Violation } from "./findings.ts";
import { readHead } from "./log_reader.ts";
import { type Replay, replay, type ReplayOptions } from "./replay.ts";

export interface Repaired {
  readonly written: number;
  readonly deleted: number;
}

/** Somebody has written to the log since it was replayed. */
export class LogChangedError extends Error {
  override readonly name = "LogChangedError";
  constructor() {
    super("Somebody else has written to the log, so it was not repaired any further");
  }
}

/** The log itself is not lawful, so there is nothing to repair from. */
export class UnlawfulLogError extends Error {
  override readonly name = "UnlawfulLogError";
  constructor(readonly violation: Violation) {
    super(`The log is not lawful, so nothing can be repaired from it: ${describeViolation(violation)}`);
  }
}

/** Deno KV takes 1000 changes of 800 KiB, keys of 80 KiB, in a commit. */
const MAX_CHANGES = 500;
const MAX_BYTES = 400 * 1024;

/**
 * @param found What a replay of the store in this state found.
 * @throws {UnlawfulLogError} If the log is not lawful; nothing is written then.
 * @throws {LogChangedError} If another commit came after the replay.
 */
export async function repair(
  store: Store,
  found: Pick<Replay, "batchId" | "violations">,
  options: Omit<ReplayOptions, "show" | "onDifference"> = {},
): Promise<Repaired> {
  const [violation] = found.violations.shown;
  if (violation) throw new UnlawfulLogError(violation);
  const { head, versionstamp } = await readHead(store);
  if (head.batch_id !== found.batchId) throw new LogChangedError();
  const slices = new Slices(store, versionstamp);
  await replay(store, { ...options, onDifference: (difference) => slices.add(difference) });
  await slices.flush();
  return slices.repaired;
}

class Slices {
  readonly #store: Store;
  readonly #versionstamp: string;
  readonly repaired = { written: 0, deleted: 0 };
  #puts: StoreEntry[] = [];
  #deletes: StoreKey[] = [];
  #bytes = 0;

  constructor(store: Store, versionstamp: string) {
    this.#store = store;
    this.#versionstamp = versionstamp;
  }

  async add({ key, shouldBe }: Difference): Promise<void> {
    const bytes = keyBytes(key) + (shouldBe?.length ?? 0);
    if (this.#puts.length + this.#deletes.length === MAX_CHANGES || this.#bytes + bytes > MAX_BYTES) {
      await this.flush();
    }
    this.#bytes += bytes;
    if (shouldBe) this.#puts.push({ key, value: shouldBe });
    else this.#deletes.push(key);
  }

  async flush(): Promise<void> {
    const [puts, deletes] = [this.#puts, this.#deletes];
    if (puts.length + deletes.length === 0) return;
    const check = { key: headKey(0), versionstamp: this.#versionstamp };
    if (await this.#store.commit({ check, puts, deletes }) === null) throw new LogChangedError();
    this.repaired.written += puts.length;
    this.repaired.deleted += deletes.length;
    [this.#puts, this.#deletes, this.#bytes] = [[], [], 0];
  }
}
