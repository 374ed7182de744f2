/**
 * What an audit finds: events that the log must not hold, and entries that are not what the log says.
 *
 * Each is counted and handed on; the first few are kept to be shown.
 *
 * @module
 */
import type { StoreKey } from "../events/store.ts";

/** Something that is wrong with the log itself, which nothing here ever mends. */
export interface Violation {
  /** Of the event; `null` when it is the log as a whole. */
  readonly position: number | null;
  readonly what: string;
}

/** An entry that is not what the log says. */
export interface Difference {
  readonly key: StoreKey;
  /** `null` when it is not there. */
  readonly is: Uint8Array | null;
  /** `null` when it should not be there. */
  readonly shouldBe: Uint8Array | null;
}

export interface Found<T> {
  readonly total: number;
  /** The first of them. */
  readonly shown: readonly T[];
}

export interface FindingsOptions {
  /** How many of each kind are kept, at least one. Default 20. */
  readonly show?: number;
  /** Told of every difference, before the audit goes on. Default: nobody. */
  readonly onDifference?: (difference: Difference) => Promise<void>;
}

export class Findings {
  readonly #violations = { total: 0, shown: [] as Violation[] };
  readonly #differences = { total: 0, shown: [] as Difference[] };
  #first: Violation | null = null;
  readonly #show: number;
  readonly #onDifference: FindingsOptions["onDifference"];

  constructor({ show = 20, onDifference }: FindingsOptions = {}) {
    this.#show = show;
    this.#onDifference = onDifference;
  }

  /** The violation at the lowest position; one of the log as a whole only when no other is known. */
  get first(): Violation | null {
    return this.#first;
  }

  get violations(): Found<Violation> {
    return this.#violations;
  }

  get differences(): Found<Difference> {
    return this.#differences;
  }

  unlawful(position: number | null, what: string): void {
    const violation = { position, what };
    this.#violations.total += 1;
    if (this.#violations.shown.length < this.#show) this.#violations.shown.push(violation);
    if (!this.#first || (position ?? Infinity) < (this.#first.position ?? Infinity)) this.#first = violation;
  }

  async differs(key: StoreKey, is: Uint8Array | null, shouldBe: Uint8Array | null): Promise<void> {
    const difference = { key, is, shouldBe };
    this.#differences.total += 1;
    if (this.#differences.shown.length < this.#show) this.#differences.shown.push(difference);
    await this.#onDifference?.(difference);
  }
}
