/**
 * Repair: makes everything that is folded from the log what the log says, never the other way round.
 *
 * Works in slices, each of which lands only if nobody else has written to the log, so it needs the store to itself.
 * Events and head are never touched.
 *
 * @module
 */
import { headKey } from "../events/head.ts";
import type { Store } from "../events/store.ts";
import { describeViolation } from "./describe.ts";
import type { Difference, Violation } from "./findings.ts";
import { readHead } from "./log_reader.ts";
import { type Replay, replay, type ReplayOptions } from "./replay.ts";
import { Slices } from "./slices.ts";

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
  const repaired = { written: 0, deleted: 0 };
  const check = { key: headKey(0), versionstamp };
  const slices = new Slices(async (puts, deletes) => {
    if (await store.commit({ check, puts, deletes }) === null) throw new LogChangedError();
    repaired.written += puts.length;
    repaired.deleted += deletes.length;
  });
  const onDifference = ({ key, shouldBe }: Difference) =>
    shouldBe ? slices.put({ key, value: shouldBe }) : slices.delete(key);
  await replay(store, { ...options, onDifference });
  await slices.flush();
  return repaired;
}
