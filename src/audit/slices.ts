/**
 * Many changes in commits that the store takes.
 *
 * @module
 */
import { keyBytes, type StoreEntry, type StoreKey } from "../events/store.ts";

/** Deno KV takes 1000 changes of 800 KiB, keys of 80 KiB, in a commit; a slice leaves room for more of its own. */
const MAX_CHANGES = 500;
const MAX_BYTES = 400 * 1024;

export class Slices {
  readonly #commit: (puts: readonly StoreEntry[], deletes: readonly StoreKey[]) => Promise<void>;
  #puts: StoreEntry[] = [];
  #deletes: StoreKey[] = [];
  #bytes = 0;

  /** @param commit Lands a slice, which is never empty. */
  constructor(commit: (puts: readonly StoreEntry[], deletes: readonly StoreKey[]) => Promise<void>) {
    this.#commit = commit;
  }

  async put(entry: StoreEntry): Promise<void> {
    await this.#makeRoom(keyBytes(entry.key) + entry.value.length);
    this.#puts.push(entry);
  }

  async delete(key: StoreKey): Promise<void> {
    await this.#makeRoom(keyBytes(key));
    this.#deletes.push(key);
  }

  /** Lands what has not landed yet. */
  async flush(): Promise<void> {
    const [puts, deletes] = [this.#puts, this.#deletes];
    if (puts.length + deletes.length === 0) return;
    await this.#commit(puts, deletes);
    [this.#puts, this.#deletes, this.#bytes] = [[], [], 0];
  }

  async #makeRoom(bytes: number): Promise<void> {
    const isFull = this.#puts.length + this.#deletes.length === MAX_CHANGES;
    if (isFull || this.#bytes + bytes > MAX_BYTES) await this.flush();
    this.#bytes += bytes;
  }
}
