/**
 * Whether a file is still where it was opened.
 *
 * What is written to a file that was removed or moved since is gone with the process, or nobody looks for it there: the
 * operating system takes such writes without a word.
 *
 * @module
 */
import { type Clock, systemClock } from "../events/clock.ts";

const BETWEEN_LOOKS_MS = 1_000;

export interface KeptFileOptions {
  /** Told when the file goes, and when it is back. */
  readonly onChange: (there: boolean) => void;
  readonly clock?: Clock;
}

/** The file that was opened is not at its path any more. */
export class FileGoneError extends Error {
  override readonly name = "FileGoneError";
  constructor() {
    super(
      "Daybook's file was removed, moved or replaced while it was open, and what is written now would be lost. " +
        "Put it back where it was, or stop Daybook",
    );
  }
}

export class KeptFile implements Disposable {
  readonly #path: string;
  readonly #opened: Deno.FileInfo;
  readonly #options: KeptFileOptions;
  readonly #clock: Clock;
  #there = true;
  #timer: unknown;

  private constructor(path: string, opened: Deno.FileInfo, options: KeptFileOptions) {
    this.#path = path;
    this.#opened = opened;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#lookLater();
  }

  /** Looks at the file every second from now on. */
  static async watch(path: string, options: KeptFileOptions): Promise<KeptFile> {
    return new KeptFile(path, await Deno.stat(path), options);
  }

  /** @throws {FileGoneError} If the file was not there when it was last looked at. */
  mustBeThere(): void {
    if (!this.#there) throw new FileGoneError();
  }

  [Symbol.dispose](): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #lookLater(): void {
    const timer = this.#timer = this.#clock.setTimeout(async () => {
      const there = await this.#isThere();
      if (this.#timer !== timer) return;
      if (there !== this.#there) this.#options.onChange(this.#there = there);
      this.#lookLater();
    }, BETWEEN_LOOKS_MS);
  }

  async #isThere(): Promise<boolean> {
    try {
      const { dev, ino } = await Deno.stat(this.#path);
      return dev === this.#opened.dev && ino === this.#opened.ino;
    } catch (error) {
      // A folder that may not be looked into just now says nothing of the file.
      return !(error instanceof Deno.errors.NotFound);
    }
  }
}
