/**
 * Idempotency keys and their expiries. A key may be used anew once it has expired; then the later job has it.
 *
 * @module
 */
import { jobEntries } from "../actors/job/projector.ts";
import type { JobState } from "../actors/job/state.ts";
import type { Store, StoreEntry } from "../events/store.ts";
import type { Findings } from "./findings.ts";
import { sameJson } from "./same_value.ts";
import type { View } from "./view.ts";

export class IdempotencyKeys implements View {
  readonly prefixes = ["i", "x"];
  readonly #store: Store;
  readonly #findings: Findings;
  /** Those that expired by then may have been removed, which is no event. */
  readonly #now: number;
  /** When each key expires that has not been used anew, by its hash. */
  readonly #expiries = new Map<string, number>();
  /** Of the keys that have. */
  readonly #formerExpiries = new Map<string, number[]>();
  /** Keys whose entry is not that of the last job seen; a later one may explain it. */
  readonly #unexplained = new Map<string, { is: Uint8Array | null; wanted: StoreEntry }>();
  #uncompared: JobState[] = [];
  #foundKeys = 0;
  #foundExpiries = 0;

  constructor(store: Store, findings: Findings, now: number) {
    this.#store = store;
    this.#findings = findings;
    this.#now = now;
  }

  step(before: JobState | null, after: JobState): void {
    if (before === null && after.idempotency) this.#uncompared.push(after);
  }

  /** Compares the keys of the jobs created by the last steps with those that are there. */
  async compare(): Promise<void> {
    const pairs = this.#uncompared.splice(0).map((job) => {
      const entries = jobEntries(job);
      return this.prefixes.map((prefix) => entries.find(({ key }) => key[0] === prefix)!);
    });
    const found = (await this.#store.getMany(pairs.flat().map(({ key }) => key))).values();
    for (const [key, expiry] of pairs as [StoreEntry, StoreEntry][]) {
      const [expiresAt, hash] = expiry.key.slice(1) as [number, string];
      const isKnown = this.#isExpiry(expiresAt, hash);
      this.#compareKey(key, found.next().value!, hash, expiresAt);
      const is = found.next().value!;
      // Two jobs can share it: the first was deleted within the millisecond.
      if (!isKnown) await this.#compareExpiry(expiry, is);
    }
  }

  found(prefix: string): number {
    return prefix === "i" ? this.#foundKeys : this.#foundExpiries;
  }

  async check({ key, value }: StoreEntry): Promise<void> {
    const [prefix, ...parts] = key;
    const isKnown = prefix === "i"
      ? parts.length === 1 && this.#expiries.has(parts[0] as string)
      : parts.length === 2 && this.#isExpiry(parts[0] as number, parts[1] as string);
    if (!isKnown) await this.#findings.differs(key, value, null);
  }

  async finish(): Promise<void> {
    for (const { is, wanted } of this.#unexplained.values()) {
      await this.#findings.differs(wanted.key, is, wanted.value);
    }
  }

  #compareKey(wanted: StoreEntry, is: Uint8Array | null, hash: string, expiresAt: number): void {
    const former = this.#expiries.get(hash);
    if (former !== undefined) {
      this.#formerExpiries.set(hash, [...this.#formerExpiries.get(hash) ?? [], former]);
    } else if (is) this.#foundKeys += 1;
    this.#expiries.set(hash, expiresAt);
    const fits = is ? sameJson(is, wanted.value) : expiresAt <= this.#now;
    if (fits) this.#unexplained.delete(hash);
    else this.#unexplained.set(hash, { is, wanted });
  }

  async #compareExpiry({ key, value }: StoreEntry, is: Uint8Array | null): Promise<void> {
    if (is) this.#foundExpiries += 1;
    const fits = is ? is.length === 0 : key[1] as number <= this.#now;
    if (!fits) await this.#findings.differs(key, is, value);
  }

  #isExpiry(expiresAt: number, hash: string): boolean {
    return this.#expiries.get(hash) === expiresAt ||
      (this.#formerExpiries.get(hash)?.includes(expiresAt) ?? false);
  }
}
