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
  /** Whether an entry says so little that it may as well not be there. */
  readonly isNothing?: (entry: StoreEntry) => boolean;
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
    if (wanted ? sameJson(value, wanted.value) : this.#isNothing({ key, value })) return;
    await this.#options.findings.differs(key, value, wanted?.value ?? null);
  }

  async finish(): Promise<void> {
    for (const entry of this.#wanted().values()) {
      if (!this.#isNothing(entry)) await this.#options.findings.differs(entry.key, null, entry.value);
    }
  }

  #wanted(): Map<string, StoreEntry> {
    this.#missing ??= new Map(
      Iterator.from(this.#options.wanted()).map((entry) => [JSON.stringify(entry.key), entry]),
    );
    return this.#missing;
  }

  #isNothing(entry: StoreEntry): boolean {
    return this.#options.isNothing?.(entry) ?? false;
  }
}
