/**
 * A map for what comes and goes.
 *
 * When V8 rebuilds a `Map`'s table, the old one goes on pointing to the new one and to what it held. An old table that has
 * reached the old generation therefore keeps everything that passes through the map later until the next full collection,
 * though it is long deleted. This map changes to a table of its own before that adds up.
 *
 * @module
 */

/** A map is renewed when as many were deleted from it as are left in it, and at least so many. */
const WORTH_RENEWING = 64;

export class TransientMap<Key, Value> {
  #map = new Map<Key, Value>();
  #deleted = 0;

  get size(): number {
    return this.#map.size;
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key);
  }

  set(key: Key, value: Value): void {
    this.#map.set(key, value);
  }

  /** Answers whether it was there. */
  delete(key: Key): boolean {
    if (!this.#map.delete(key)) return false;
    this.#deleted += 1;
    if (this.#deleted >= WORTH_RENEWING && this.#deleted >= this.#map.size) this.#renew(this.#map);
    return true;
  }

  clear(): void {
    this.#renew();
  }

  /** What is there now, in the order of a `Map`. */
  entries(): [Key, Value][] {
    return [...this.#map];
  }

  #renew(kept?: Map<Key, Value>): void {
    this.#map = new Map(kept);
    this.#deleted = 0;
  }
}
