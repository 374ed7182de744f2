/**
 * One commit at a time, and the rule for a commit whose outcome is not known.
 *
 * A thrown, timed-out or refused commit proves nothing: it may have landed, or land late. The committer re-reads the
 * head; if that carries the batch's id, it landed. If not, it commits a new head on the one just read: only when that
 * has landed can the old batch, which checks the old head, never land. Until then the outcome is unknown.
 *
 * @module
 */
import type { Projector } from "./append.ts";
import { type Clock, FIRST_PAUSE_MS, longerPause, sleep, withDeadline } from "./clock.ts";
import { undoSteps } from "./early_entries.ts";
import { LogDamagedError, LogFencedError, messageOf } from "./errors.ts";
import type { StoredEvent } from "./event.ts";
import { readEventsAt } from "./event_page.ts";
import { decodeHead, encodeHead, eventKey, EVENTS, type Head, headKey } from "./head.ts";
import { parseIsoTime } from "./iso_time.ts";
import type { Store, StoreEntry, StoreKey } from "./store.ts";

export interface CommitterOptions {
  readonly store: Store;
  readonly partition: number;
  readonly clock: Clock;
  readonly newId: () => string;
  /** How long one request to the store may take, in milliseconds. */
  readonly deadlineMs: number;
}

export interface CommitBatch {
  /** The batch's last event; its bytes are among `puts`. Absent when it has no event. */
  readonly last?: StoredEvent;
  readonly puts: readonly StoreEntry[];
  readonly deletes: readonly StoreKey[];
}

const OPENED_BY_ANOTHER = "Another process opened the log at the same moment; start again";

export class Committer {
  readonly #options: CommitterOptions;
  #head: Head;
  #versionstamp: string;
  #fenced: LogFencedError | undefined;
  /** Of the next batch; drawn while the one before is under way. */
  #batchId: string;
  /** Called when a commit's outcome becomes doubtful, with the cause. */
  onDoubt: (why: string) => void = () => {};

  private constructor(options: CommitterOptions, head: Head, versionstamp: string) {
    this.#options = options;
    this.#head = head;
    this.#versionstamp = versionstamp;
    this.#batchId = options.newId();
  }

  /** The head of the last batch that landed. */
  get head(): Head {
    return this.#head;
  }

  /** Set when another process has taken the log over; nothing can be committed any more. */
  get fenced(): LogFencedError | undefined {
    return this.#fenced;
  }

  /**
   * Takes the log over with a new epoch, or makes a new log when the store has none.
   *
   * @throws {DeadlineError} If the store does not answer in time. Opening can be repeated.
   * @throws {LogDamagedError} If there are events beyond the head, or without one.
   */
  static async open(options: CommitterOptions): Promise<Committer> {
    const { store, partition, clock, newId, deadlineMs } = options;
    const key = headKey(partition);
    const batch_id = newId();
    let epoch: number | undefined;
    for (;;) {
      const reading = store.get(key);
      const found = await withDeadline(clock, deadlineMs, "Reading the log's head", reading);
      const last: Head = found.value
        ? decodeHead(found.value)
        : { log_id: newId(), epoch: 0, position: 0, batch_id: "", time: 0, partitions: 1 };
      if (last.batch_id === batch_id) return new Committer(options, last, found.versionstamp!);
      epoch ??= last.epoch;
      if (last.epoch !== epoch) {
        throw new Error(OPENED_BY_ANOTHER);
      }
      const beyond = store.list({
        prefix: [EVENTS, partition],
        start: eventKey(partition, last.position),
      }, { limit: 1 });
      if ((await withDeadline(clock, deadlineMs, "Looking beyond the log's head", beyond)).length > 0) {
        // Unless the last owner has written on since the head was read.
        const again = await withDeadline(clock, deadlineMs, "Reading the log's head", store.get(key));
        if (again.versionstamp === found.versionstamp) throw new LogDamagedError(last.position);
        continue;
      }
      const head: Head = { ...last, epoch: epoch + 1, batch_id };
      const commit = store.commit({
        check: { key, versionstamp: found.versionstamp },
        puts: [{ key, value: encodeHead(head) }],
        deletes: [],
      });
      const versionstamp = await withDeadline(clock, deadlineMs, "Taking the log over", commit);
      // Refused while the last owner goes on writing, or landed and reported as a conflict: the head tells.
      if (versionstamp !== null) return new Committer(options, head, versionstamp);
    }
  }

  /**
   * Removes what says nothing, as long as nobody else has taken the log over. It may be gone although this throws; the same can
   * be asked again.
   *
   * @throws {DeadlineError} If the store does not answer in time.
   * @throws {Error} If the store does not take it, or another process has opened the log.
   */
  async remove(deletes: readonly StoreKey[]): Promise<void> {
    const { store, partition, clock, deadlineMs } = this.#options;
    const check = { key: headKey(partition), versionstamp: this.#versionstamp };
    const commit = store.commit({ check, puts: [], deletes });
    if (await withDeadline(clock, deadlineMs, "Removing what was lost", commit) !== null) return;
    // Unless it landed and is reported as a conflict, as by KV Connect's client when it repeats a request.
    const reading = store.get(check.key);
    const { versionstamp } = await withDeadline(clock, deadlineMs, "Reading the log's head", reading);
    if (versionstamp !== check.versionstamp) throw new Error(OPENED_BY_ANOTHER);
  }

  /** The {@linkcode undoSteps} of the log as it is now; a read that takes too long is a `DeadlineError`. */
  undoSteps(projector: Projector<never>): AsyncGenerator<StoreKey[]> {
    const { store, clock, deadlineMs } = this.#options;
    return undoSteps(
      store,
      projector,
      this.#head.position,
      (reading) => withDeadline(clock, deadlineMs, "Reading what is to be undone", reading),
    );
  }

  /** Commits one batch and tells its fate, however long that takes. Afterwards `fenced` may be set. */
  async commit(batch: CommitBatch): Promise<"landed" | "lost"> {
    const { store, partition, clock, deadlineMs, newId } = this.#options;
    const key = headKey(partition);
    const head = { ...this.#head, ...endOf(batch.last), batch_id: this.#batchId };
    try {
      const commit = store.commit({
        check: { key, versionstamp: this.#versionstamp },
        puts: [...batch.puts, { key, value: encodeHead(head) }],
        deletes: batch.deletes,
      });
      this.#batchId = newId();
      const versionstamp = await withDeadline(clock, deadlineMs, "The commit", commit);
      if (versionstamp !== null) return this.#adopt(head, versionstamp, "landed");
      this.onDoubt("the store refused the commit");
    } catch (error) {
      this.onDoubt(messageOf(error));
    }
    // A store that throws at once leaves it undrawn.
    this.#batchId = newId();
    return await this.#settle(head, batch.last);
  }

  async #settle(doubtful: Head, last: StoredEvent | undefined): Promise<"landed" | "lost"> {
    const { store, partition, clock, newId, deadlineMs } = this.#options;
    const key = headKey(partition);
    const fences = new Set<string>();
    for (let pause = FIRST_PAUSE_MS;; pause = longerPause(pause)) {
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
          const fate = last ? await this.#fateUnderNewOwner(last) : "lost";
          this.#fenced = new LogFencedError(doubtful.log_id, doubtful.epoch, found.epoch);
          if (fate === "landed") this.#head = doubtful;
          return fate;
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
      } catch {
        // The outcome is as unknown as before; `onDoubt` has told the cause.
      }
      await sleep(clock, pause);
    }
  }

  /** The new owner's head has replaced ours, so what has not landed by now never will: the event itself tells. */
  async #fateUnderNewOwner({ event, bytes }: StoredEvent): Promise<"landed" | "lost"> {
    const { store, partition, clock, deadlineMs } = this.#options;
    const reading = readEventsAt(store, partition, [event.position]);
    const [value] = await withDeadline(clock, deadlineMs, "Reading the event", reading);
    return value?.length === bytes.length && value.every((byte, i) => byte === bytes[i]) ? "landed" : "lost";
  }

  #adopt(head: Head, versionstamp: string, fate: "landed" | "lost"): "landed" | "lost" {
    this.#head = head;
    this.#versionstamp = versionstamp;
    return fate;
  }
}

/** What the head says of the log's end when this is its last event; nothing new without one. */
function endOf(last: StoredEvent | undefined): Partial<Head> {
  return last ? { position: last.event.position + 1, time: parseIsoTime(last.event.time) } : {};
}
