/**
 * Waiting for jobs to be completed.
 *
 * @module
 */

/** Calls back with the id of each job that is completed, until the function that it answers is called. */
export type CompletionSource = (completed: (id: string) => void) => () => void;

export class Completions {
  readonly #stop: () => void;
  readonly #waiting = new Map<string, () => void>();
  /** Completed before anybody waited. */
  readonly #early = new Set<string>();
  readonly #all = Promise.withResolvers<void>();
  #left: number;

  /** @param jobs How many completions make up {@linkcode all}. */
  constructor(source: CompletionSource, jobs: number) {
    this.#left = jobs;
    this.#stop = source((id) => this.#completed(id));
  }

  /** Resolves when the job is completed. */
  of(id: string): Promise<void> {
    if (this.#early.delete(id)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** Resolves when as many jobs are completed as were counted on. */
  async all(): Promise<void> {
    await this.#all.promise;
    this.#stop();
  }

  #completed(id: string): void {
    const resolve = this.#waiting.get(id);
    if (resolve) {
      this.#waiting.delete(id);
      resolve();
    } else this.#early.add(id);
    this.#left -= 1;
    if (this.#left === 0) this.#all.resolve();
  }
}
