/**
 * Failed logins: counted by address, and told once a minute, so that a stranger who tries tokens leaves a trace but cannot
 * fill the disk.
 *
 * @module
 */
import type { Clock } from "../events/clock.ts";

/** The failed logins of one address since the last time they were told. */
export interface FailedLogins {
  /** `others` for all those that come after the first 32 addresses of a minute. */
  readonly address: string;
  readonly count: number;
  /** ISO 8601. */
  readonly first: string;
  readonly last: string;
}

export interface FailedLoginsOptions {
  readonly clock: Clock;
  /** Rejects when it could not be put on record; it is tried again a minute later, with what came meanwhile. */
  readonly record: (failed: FailedLogins) => Promise<void>;
}

const MINUTE_MS = 60_000;
const MAX_ADDRESSES = 32;
const OTHERS = "others";

export class FailedLoginCounter {
  readonly #options: FailedLoginsOptions;
  readonly #counts = new Map<string, { count: number; first: number; last: number }>();
  #timer: unknown;

  constructor(options: FailedLoginsOptions) {
    this.#options = options;
  }

  failed(address: string): void {
    const { clock } = this.#options;
    const known = this.#counts.has(address) || this.#counts.size < MAX_ADDRESSES;
    this.#add(known ? address : OTHERS, { count: 1, first: clock.now(), last: clock.now() });
    this.#timer ??= clock.setTimeout(() => void this.flush(), MINUTE_MS);
  }

  /** Tells what was counted so far. */
  async flush(): Promise<void> {
    const { clock, record } = this.#options;
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const counts = [...this.#counts];
    this.#counts.clear();
    await Promise.all(counts.map(async ([address, found]) => {
      const { count, first, last } = found;
      try {
        await record({ address, count, first: iso(first), last: iso(last) });
      } catch {
        this.#add(address, found);
        this.#timer ??= clock.setTimeout(() => void this.flush(), MINUTE_MS);
      }
    }));
  }

  /** Takes no more, and tells the rest. */
  async close(): Promise<void> {
    await this.flush();
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
  }

  #add(address: string, { count, first, last }: { count: number; first: number; last: number }): void {
    const known = this.#counts.get(address);
    if (!known) this.#counts.set(address, { count, first, last });
    else {
      known.count += count;
      known.first = Math.min(known.first, first);
      known.last = Math.max(known.last, last);
    }
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
