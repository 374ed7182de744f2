/**
 * An append on its way to the disk, and the two ends of its fate.
 *
 * @module
 */
import type { StagedAppend } from "./append.ts";
import type { StoredEvent } from "./event.ts";

export class PendingAppend<Change> implements StagedAppend<Change> {
  #fate: PromiseWithResolvers<void> | undefined;
  #settled: "landed" | Error | undefined;

  constructor(
    readonly stream: string,
    readonly events: readonly StoredEvent[],
    readonly change: Change | undefined,
    readonly group: object | undefined,
  ) {}

  /** Made for those who ask: of most appends listeners are told, and nobody waits. */
  get landed(): Promise<void> {
    if (!this.#fate) {
      this.#fate = Promise.withResolvers();
      // Callers that do not wait are told of a loss by `reset`.
      this.#fate.promise.catch(() => {});
      this.#tell();
    }
    return this.#fate.promise;
  }

  resolve(): void {
    this.#settled ??= "landed";
    this.#tell();
  }

  /** What is rejected first, as one whose outcome is not known, stays so. */
  reject(error: Error): void {
    this.#settled ??= error;
    this.#tell();
  }

  #tell(): void {
    if (this.#settled === "landed") this.#fate?.resolve();
    else if (this.#settled) this.#fate?.reject(this.#settled);
  }
}
