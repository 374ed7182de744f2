/**
 * The pages of events that were read last. What is committed never changes, and jobs of many queues lie on the same pages.
 *
 * @module
 */
import type { EventPage, PageCache } from "./event_page.ts";

/** Of at most 60 KiB each. */
const MOST_PAGES = 64;

export class RecentPages implements PageCache {
  /** In the order in which they were read. */
  readonly #pages: EventPage[] = [];

  at(position: number): Uint8Array | undefined {
    for (let i = this.#pages.length - 1; i >= 0; i--) {
      const bytes = this.#pages[i]!.events[position - this.#pages[i]!.first];
      if (bytes) return bytes;
    }
    return undefined;
  }

  add(page: EventPage): void {
    if (this.#pages.some(({ first }) => first === page.first)) return;
    this.#pages.push(page);
    if (this.#pages.length > MOST_PAGES) this.#pages.shift();
  }
}
