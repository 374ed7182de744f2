/**
 * One commit at a time, and the rule for a commit whose outcome is not known.
 *
 * A thrown, timed-out or refused commit proves nothing: it may have landed, or land late. The committer re-reads the
 * head; if that carries the batch's id, it landed. If not, it commits a new head on the one just read: only when that
 * has landed can the old batch, which checks the old head, never land. Until then the outcome is unknown.
 *
 * @module
 */
import { type Clock, sleep, withDeadline } from "./clock.ts";
import { LogFencedError } from "./errors.ts";
import { decodeHead, encodeHead, type Head, headKey } from "./head.ts";
import type { Store, StoreEntry, StoreKey } from "./store.ts";

export interface CommitterOptions {
  readonly store: Store;
  readonly partition: number;
  readonly clock: Clock;
  readonly newId: () => string;
  /** How long one request to the store may take, in milliseconds. */
  readonly deadlineMs: number;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

export class Committer {
  readonly #options: CommitterOptions;
  #head: Head;
  #versionstamp: string;
  /** Called when a commit's outcome becomes doubtful, with the cause. */
  onDoubt: (why: string) => void = () => {};

  private constructor(options: CommitterOptions, head: Head, versionstamp: string) {
    this.#options = options;
    this.#head = head;
    this.#versionstamp = versionstamp;
  }

  /** The head of the last batch that landed. */
  get head(): Head {
    return this.#head;
  }

  /** Takes the log over with a new epoch, or makes a new log when the store has none. */
  static async open(options: CommitterOptions): Promise<Committer> {
    const { store, partition, newId } = options;
    const key = headKey(partition);
    const found = await store.get(key);
    const last: Head = found.value
      ? decodeHead(found.value)
      : { log_id: newId(), epoch: 0, position: 0, batch_id: "", time: 0, partitions: 1 };
    const head: Head = { ...last, epoch: last.epoch + 1, batch_id: newId() };
    const versionstamp = await store.commit({
      check: { key, versionstamp: found.versionstamp },
      puts: [{ key, value: encodeHead(head) }],
      deletes: [],
    });
    if (versionstamp === null) {
      throw new Error("Another process opened the log at the same moment; start again");
    }
    return new Committer(options, head, versionstamp);
  }

  /**
   * Commits one batch and tells its fate, however long that takes.
   *
   * @throws {LogFencedError} If another process has taken the log over.
   */
  async commit(
    batch: { position: number; time: number; puts: readonly StoreEntry[]; deletes: readonly StoreKey[] },
  ): Promise<"landed" | "lost"> {
    const { store, partition, clock, deadlineMs, newId } = this.#options;
    const key = headKey(partition);
    const head: Head = { ...this.#head, position: batch.position, time: batch.time, batch_id: newId() };
    try {
      const commit = store.commit({
        check: { key, versionstamp: this.#versionstamp },
        puts: [...batch.puts, { key, value: encodeHead(head) }],
        deletes: batch.deletes,
      });
      const versionstamp = await withDeadline(clock, deadlineMs, "The commit", commit);
      if (versionstamp !== null) return this.#adopt(head, versionstamp, "landed");
      this.onDoubt("the store refused the commit");
    } catch (error) {
      this.onDoubt(messageOf(error));
    }
    return await this.#settle(head);
  }

  async #settle(doubtful: Head): Promise<"landed" | "lost"> {
    const { store, partition, clock, newId, deadlineMs } = this.#options;
    const key = headKey(partition);
    const fences = new Set<string>();
    for (let pause = FIRST_PAUSE_MS;; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        const { value, versionstamp } = await withDeadline(
          clock,
          deadlineMs,
          "Reading the head",
          store.get(key),
        );
        if (value === null || versionstamp === null) throw new Error("the log has no head");
        const found = decodeHead(value);
        if (found.batch_id === doubtful.batch_id) return this.#adopt(found, versionstamp, "landed");
        if (found.log_id !== doubtful.log_id || found.epoch !== doubtful.epoch) {
          throw new LogFencedError(doubtful.log_id, doubtful.epoch, found.epoch);
        }
        if (fences.has(found.batch_id)) return this.#adopt(found, versionstamp, "lost");
        const fence: Head = { ...found, batch_id: newId() };
        fences.add(fence.batch_id);
        const fenced = await withDeadline(
          clock,
          deadlineMs,
          "The fence",
          store.commit({
            check: { key, versionstamp },
            puts: [{ key, value: encodeHead(fence) }],
            deletes: [],
          }),
        );
        if (fenced !== null) return this.#adopt(fence, fenced, "lost");
      } catch (error) {
        if (error instanceof LogFencedError) throw error;
      }
      await sleep(clock, pause);
    }
  }

  #adopt(head: Head, versionstamp: string, fate: "landed" | "lost"): "landed" | "lost" {
    this.#head = head;
    this.#versionstamp = versionstamp;
    return fate;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
