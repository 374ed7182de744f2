/**
 * A store whose lists and reads wait until the test lets them go, each answering what was there when it was asked.
 *
 * @module
 */
import type { Commit, Store, StoreEntry, StoreKey, StoreRange } from "../../../src/events/store.ts";

interface Waiting {
  readonly go: () => void;
  readonly fail: (error: Error) => void;
}

export class SlowStore implements Store {
  readonly #inner: Store;
  readonly #waiting: Waiting[] = [];
  /** Operations by these names wait. */
  slow = new Set<"list" | "getMany" | "get">();
  /** How many lists were asked for. */
  lists = 0;

  constructor(inner: Store) {
    this.#inner = inner;
  }

  /** How many operations wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets the longest waiting operation answer. */
  release(): void {
    this.#waiting.shift()!.go();
  }

  releaseAll(): void {
    while (this.waiting > 0) this.release();
  }

  /** Lets the longest waiting operation reject. */
  fail(): void {
    this.#waiting.shift()!.fail(new Error("the store cannot be reached"));
  }

  get(key: StoreKey) {
    return this.#answer("get", this.#inner.get(key));
  }

  getMany(keys: readonly StoreKey[]): Promise<(Uint8Array | null)[]> {
    return this.#answer("getMany", this.#inner.getMany(keys));
  }

  list(range: StoreRange, options: { limit: number; reverse?: boolean }): Promise<StoreEntry[]> {
    this.lists += 1;
    return this.#answer("list", this.#inner.list(range, options));
  }

  commit(commit: Commit): Promise<string | null> {
    return this.#inner.commit(commit);
  }

  close(): void {
    this.#inner.close();
  }

  async #answer<T>(operation: "list" | "getMany" | "get", answer: Promise<T>): Promise<T> {
    if (this.slow.has(operation)) {
      await new Promise<void>((resolve, reject) => this.#waiting.push({ go: resolve, fail: reject }));
    }
    return await answer;
  }
}
