/**
 * What was committed ahead of a batch that is not in the log: it is shown to nobody, and the log's next owner removes it.
 *
 * @module
 */
import { leadsBeyond } from "../actors/job/keys.ts";
import { keysNamed, UNDO } from "../events/early_entries.ts";
import type { StoreEntry, StoreKey } from "../events/store.ts";
import { type ComparedStore, pagesOf } from "./compared_store.ts";
import type { Findings } from "./findings.ts";
import type { View } from "./view.ts";

export class EarlyEntries implements View {
  readonly prefixes = [UNDO];
  readonly #named: ReadonlySet<string>;
  readonly #records: number;
  readonly #findings: Findings;

  private constructor(named: ReadonlySet<string>, records: number, findings: Findings) {
    this.#named = named;
    this.#records = records;
    this.#findings = findings;
  }

  /** @param position Number of events in the log. */
  static async read(store: ComparedStore, position: number, findings: Findings): Promise<EarlyEntries> {
    const named = new Set<string>();
    let records = 0;
    for await (const page of pagesOf(store, { prefix: [UNDO] })) {
      for (const { value } of page) {
        const keys = keysNamed(value);
        if (keys) records += 1;
        for (const key of keys ?? []) if (leadsBeyond(key, position)) named.add(JSON.stringify(key));
      }
    }
    return new EarlyEntries(named, records, findings);
  }

  has(key: StoreKey): boolean {
    return this.#named.has(JSON.stringify(key));
  }

  found(): number {
    return this.#records;
  }

  async check({ key, value }: StoreEntry): Promise<void> {
    if (!keysNamed(value)) await this.#findings.differs(key, value, null);
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }
}
