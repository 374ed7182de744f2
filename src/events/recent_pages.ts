/**
 * The pages of events that were read last. What is committed never changes, and jobs of many queues lie on the same pages.
 *
 * @module
 */
import type { EventPage } from "./event_page.ts";

/** Some 4 MB at most. */
const MOST_PAGES = 64;

export class RecentPages {
  /** Those read last at the end. */
  readonly #pages: EventPage[] = [];

  /** The stored bytes of the event, if its page is here. */
  at(position: number): Uint8Array | undefined {
    for (let i = this.#pages.length - 1; i >= 0; i--) {
      const bytes = this.#pages[i]!.events[position - this.#pages[i]!.first];
      if (bytes) return bytes;
    }
    return undefined;
  }

  /** @param page Of committed events only. */
  add(page: EventPage): void {
    if (this.#pages.some(({ first }) => first === page.first)) return;
    this.#pages.push(page);
    if (this.#pages.length > MOST_PAGES) this.#pages.shift();
  }
}
