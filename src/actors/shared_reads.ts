/**
 * Reads of the log by many at once. What is asked for while a read is under way is read together, each page of the log
 * once: jobs of many queues lie on the same pages.
 *
 * @module
 */
import type { StoredEvent } from "../events/event.ts";
import type { EventLog } from "../events/event_log.ts";

type Found = (StoredEvent | undefined)[];

interface Ask {
  readonly positions: readonly number[];
  readonly resolve: (found: Found) => void;
  readonly reject: (error: unknown) => void;
}

export class SharedReads implements Pick<EventLog<unknown>, "find"> {
  readonly #log: Pick<EventLog<unknown>, "find">;
  #asked: Ask[] = [];
  #reading = false;

  constructor(log: Pick<EventLog<unknown>, "find">) {
    this.#log = log;
  }

  /** As the log's own. */
  find(positions: readonly number[]): Promise<Found> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ positions, resolve, reject });
      if (!this.#reading) void this.#readOn();
    });
  }

  async #readOn(): Promise<void> {
    this.#reading = true;
    while (this.#asked.length > 0) await this.#read(this.#asked.splice(0));
    this.#reading = false;
  }

  async #read(asks: readonly Ask[]): Promise<void> {
    try {
      const all = [...new Set(asks.flatMap(({ positions }) => positions))];
      const events = await this.#log.find(all);
      const found = new Map(all.map((position, i) => [position, events[i]]));
      for (const { positions, resolve } of asks) resolve(positions.map((position) => found.get(position)));
    } catch (error) {
      for (const { reject } of asks) reject(error);
    }
  }
}
