/**
 * Lines on their way to somewhere slow: kept in memory, written in batches, in order, each exactly once.
 *
 * Who logs never waits and never sees an error. While the target cannot be written the lines wait, up to a bound;
 * those beyond it are counted, and one line tells their number as soon as writing works again.
 *
 * @module
 */

/** Where batches go. Must write all of `batch` or nothing, and throw when it could not. */
export type WriteBatch = (batch: Uint8Array) => Promise<void>;

/** Starts a timer that does not keep the process alive; answers how to stop it. */
export type StartTimer = (run: () => void, ms: number) => () => void;

export interface BatchedLinesOptions {
  readonly write: WriteBatch;
  /** Makes the line that tells of `count` dropped ones, without its line end. */
  readonly droppedLine: (count: number) => string;
  /** Told once for each time that writing begins to fail. */
  readonly onFailure?: (error: unknown) => void;
  /** How long a line may wait for company. Default 100. */
  readonly flushMs?: number;
  /** Characters of waiting lines that are written at once. Default 65,536. */
  readonly flushChars?: number;
  /** Characters of waiting lines beyond which lines are dropped. Default 8,388,608. */
  readonly maxChars?: number;
  /** Pause before the next try after a failure. Default 1,000. */
  readonly retryMs?: number;
  readonly startTimer?: StartTimer;
}

/** Bounds what a try costs while the target keeps failing. */
const MAX_BATCH_CHARS = 1_048_576;

const encoder = new TextEncoder();

interface Batch {
  readonly lines: string[];
  readonly chars: number;
  readonly dropped: number;
  readonly bytes: Uint8Array;
}

/** See the module. */
export class BatchedLines {
  #options: BatchedLinesOptions;
  #lines: string[] = [];
  #chars = 0;
  #dropped = 0;
  #failing = false;
  #closed = false;
  #stopTimer: (() => void) | undefined;
  /** Whatever touches the target takes its turn behind this. */
  #last: Promise<unknown> = Promise.resolve();
  #drainQueued = false;

  constructor(options: BatchedLinesOptions) {
    this.#options = options;
  }

  /** Lines lost since the last line that told of them. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Takes a line, without its line end. After `close()` it is passed over.
   *
   * @param urgent Write it now rather than with the next batch.
   */
  add(line: string, urgent = false): void {
    if (this.#closed) return;
    if (this.#chars + line.length > (this.#options.maxChars ?? 8_388_608)) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#chars += line.length + 1;
    if (this.#failing) return;
    if (urgent || this.#chars >= (this.#options.flushChars ?? 65_536)) this.#queueDrain();
    else this.#arm(this.#options.flushMs ?? 100);
  }

  /** Resolves when all that was added before is written, or writing it was tried and failed. */
  flush(): Promise<void> {
    return this.exclusively(() => this.#drain());
  }

  /** Runs `action` while no batch is being written. */
  exclusively<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(action);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Writes what there is, a last time, and answers how many lines are lost. */
  async close(): Promise<number> {
    this.#closed = true;
    await this.flush();
    this.#disarm();
    return this.#dropped + this.#lines.length;
  }

  /** Gives away the lines that wait, for a process that ends at once; `undefined` when there are none. */
  takeWaiting(): Uint8Array | undefined {
    return this.#take(Infinity)?.bytes;
  }

  #queueDrain(): void {
    if (this.#drainQueued) return;
    this.#drainQueued = true;
    void this.flush();
  }

  async #drain(): Promise<void> {
    this.#drainQueued = false;
    this.#disarm();
    for (let batch = this.#take(MAX_BATCH_CHARS); batch !== undefined; batch = this.#take(MAX_BATCH_CHARS)) {
      try {
        await this.#options.write(batch.bytes);
        this.#failing = false;
      } catch (error) {
        this.#lines = batch.lines.concat(this.#lines);
        this.#chars += batch.chars;
        this.#dropped += batch.dropped;
        this.#failed(error);
        return;
      }
    }
  }

  /** The oldest lines; behind the last of them the line about dropped ones. */
  #take(maxChars: number): Batch | undefined {
    if (this.#lines.length === 0 && this.#dropped === 0) return undefined;
    let chars = 0;
    let count = 0;
    while (count < this.#lines.length && chars < maxChars) chars += this.#lines[count++]!.length + 1;
    const lines = this.#lines.splice(0, count);
    this.#chars -= chars;
    let text = count > 0 ? `${lines.join("\n")}\n` : "";
    const dropped = this.#lines.length === 0 ? this.#dropped : 0;
    if (dropped > 0) text += `${this.#options.droppedLine(dropped)}\n`;
    this.#dropped -= dropped;
    return { lines, chars, dropped, bytes: encoder.encode(text) };
  }

  #failed(error: unknown): void {
    if (!this.#failing) this.#options.onFailure?.(error);
    this.#failing = true;
    if (!this.#closed) this.#arm(this.#options.retryMs ?? 1_000);
  }

  #arm(ms: number): void {
    this.#stopTimer ??= (this.#options.startTimer ?? startTimer)(() => {
      this.#stopTimer = undefined;
      this.#queueDrain();
    }, ms);
  }

  #disarm(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }
}

function startTimer(run: () => void, ms: number): () => void {
  const id = setTimeout(run, ms);
  Deno.unrefTimer(id);
  return () => clearTimeout(id);
}
