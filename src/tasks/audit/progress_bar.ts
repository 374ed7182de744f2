/**
 * One line that shows how far a long work is, on terminals only.
 *
 * @module
 */

const WIDTH = 30;
/** Between two looks of the bar, in milliseconds. */
const PAUSE_MS = 100;

/** A terminal, such as `Deno.stderr`. */
export interface Terminal {
  isTerminal(): boolean;
  writeSync(bytes: Uint8Array): number;
}

export class ProgressBar {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  readonly #isShown: boolean;
  #drawnAt = -Infinity;

  /** @param now Monotonic, in milliseconds. */
  constructor(terminal: Terminal, now: () => number = () => performance.now()) {
    this.#terminal = terminal;
    this.#now = now;
    this.#isShown = terminal.isTerminal();
  }

  /** @param total `null` when it is not known. */
  show(what: string, done: number, total: number | null): void {
    const now = this.#now();
    if (!this.#isShown || now - this.#drawnAt < PAUSE_MS) return;
    this.#drawnAt = now;
    this.#draw(`${bar(done, total)} ${done.toLocaleString("en")}${of(total)} ${what}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#isShown && this.#drawnAt !== -Infinity) this.#draw("");
  }

  #draw(line: string): void {
    this.#terminal.writeSync(new TextEncoder().encode(`\r${line}\x1b[K`));
  }
}

/** What a long work tells of itself. */
export interface Progress {
  readonly of: string;
  readonly done: number;
  readonly total: number | null;
}

/** Shows on standard error how far the work is, and takes it away at the end. */
export async function withProgress<T>(work: (onProgress: (progress: Progress) => void) => Promise<T>) {
  const bar = new ProgressBar(Deno.stderr);
  try {
    return await work(({ of, done, total }) => bar.show(of, done, total));
  } finally {
    bar.clear();
  }
}

function bar(done: number, total: number | null): string {
  if (total === null || total === 0) return "";
  const filled = Math.round(WIDTH * Math.min(1, done / total));
  return `[${"#".repeat(filled)}${".".repeat(WIDTH - filled)}]`;
}

function of(total: number | null): string {
  return total === null ? "" : ` of ${total.toLocaleString("en")}`;
}
