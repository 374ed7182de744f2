/**
 * A view: the entries that one thing which is folded from the log should have in the store.
 *
 * @module
 */
import type { StoreEntry } from "../events/store.ts";

export interface View {
  /** First parts of the keys; no other view has them. */
  readonly prefixes: readonly string[];
  /**
   * How many of the entries that should be there were found already: if there are as many in the store, none of them
   * is too much, and they need not be looked at one by one. `undefined` when that is not known.
   */
  found(prefix: string): number | undefined;
  /** Looks at an entry of the store, in the order of the keys. */
  check(entry: StoreEntry): Promise<void>;
  /** All were looked at: names what should have been among them. */
  finish(): Promise<void>;
}
