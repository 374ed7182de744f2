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
      if (this.#settled) this.#tell(this.#settled);
    }
    return this.#fate.promise;
  }

  resolve(): void {
    this.#settle("landed");
  }

  /** What is rejected first, as one whose outcome is not known, stays so. */
  reject(error: Error): void {
    this.#settle(error);
  }

  #settle(fate: "landed" | Error): void {
    if (this.#settled) return;
    this.#settled = fate;
    this.#tell(fate);
  }

  #tell(fate: "landed" | Error): void {
    if (fate === "landed") this.#fate?.resolve();
    else this.#fate?.reject(fate);
  }
}
