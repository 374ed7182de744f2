/**
 * The chunks of long histories: half of a row's list of positions, each written once when the list was full.
 *
 * @module
 */
import { POSITIONS_PER_CHUNK } from "../actors/job/evolve.ts";
import { chunkKey } from "../actors/job/keys.ts";
import { encodeJson } from "../actors/job/row.ts";
import type { JobState } from "../actors/job/state.ts";
import type { Store, StoreEntry } from "../events/store.ts";
import type { Findings } from "./findings.ts";
import { sameJson } from "./same_value.ts";
import type { View } from "./view.ts";

export class Chunks implements View {
  readonly prefixes = ["p"];
  readonly #store: Store;
  readonly #findings: Findings;
  /** How many each job has, by its id. */
  readonly #counts = new Map<string, number>();
  #uncompared: StoreEntry[] = [];
  #found = 0;

  constructor(store: Store, findings: Findings) {
    this.#store = store;
    this.#findings = findings;
  }

  step(before: JobState | null, after: JobState): void {
    if (!before || after.positions.length > before.positions.length) return;
    const chunk = this.#counts.get(after.id) ?? 0;
    this.#counts.set(after.id, chunk + 1);
    const positions = before.positions.slice(0, POSITIONS_PER_CHUNK);
    this.#uncompared.push({ key: chunkKey(after.id, chunk), value: encodeJson(positions) });
  }

  /** Compares the chunks of the last steps with those that are there. */
  async compare(): Promise<void> {
    const chunks = this.#uncompared.splice(0);
    const found = await this.#store.getMany(chunks.map(({ key }) => key));
    for (const [i, { key, value }] of chunks.entries()) {
      const is = found[i]!;
      if (is) this.#found += 1;
      if (!(is && sameJson(is, value))) await this.#findings.differs(key, is, value);
    }
  }

  found(): number {
    return this.#found;
  }

  async check({ key, value }: StoreEntry): Promise<void> {
    const [, id, chunk] = key as [string, string, number];
    const count = this.#counts.get(id) ?? 0;
    if (key.length === 3 && Number.isInteger(chunk) && chunk >= 0 && chunk < count) return;
    await this.#findings.differs(key, value, null);
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }
}
