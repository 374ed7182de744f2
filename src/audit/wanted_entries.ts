/**
 * A view of a few entries that memory holds.
 *
 * @module
 */
import type { StoreEntry } from "../events/store.ts";
import type { Findings } from "./findings.ts";
import { sameJson } from "./same_value.ts";
import type { View } from "./view.ts";

export interface WantedEntriesOptions {
  readonly prefix: string;
  readonly findings: Findings;
  /** What should be there, asked for once all events are folded. */
  readonly wanted: () => Iterable<StoreEntry>;
  /** Whether a value says so little that its entry may as well not be there. */
  readonly isNothing?: (value: Uint8Array) => boolean;
}

export class WantedEntries implements View {
  readonly prefixes: readonly string[];
  readonly #options: WantedEntriesOptions;
  #missing: Map<string, StoreEntry> | undefined;

  constructor(options: WantedEntriesOptions) {
    this.#options = options;
    this.prefixes = [options.prefix];
  }

  found(): undefined {}

  async check({ key, value }: StoreEntry): Promise<void> {
    const name = JSON.stringify(key);
    const wanted = this.#wanted().get(name);
    this.#wanted().delete(name);
    if (wanted ? sameJson(value, wanted.value) : this.#isNothing(value)) return;
    await this.#options.findings.differs(key, value, wanted?.value ?? null);
  }

  async finish(): Promise<void> {
    for (const { key, value } of this.#wanted().values()) {
      if (!this.#isNothing(value)) await this.#options.findings.differs(key, null, value);
    }
  }

  #wanted(): Map<string, StoreEntry> {
    this.#missing ??= new Map(
      Iterator.from(this.#options.wanted()).map((entry) => [JSON.stringify(entry.key), entry]),
    );
    return this.#missing;
  }

  #isNothing(value: Uint8Array): boolean {
    return this.#options.isNothing?.(value) ?? false;
  }
}
