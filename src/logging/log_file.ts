/**
 * Daybook's own log file: batches of lines appended to it, and moved away whole when it is rotated.
 *
 * The file is opened for each batch, so that a file or folder that somebody removed or renamed is simply made anew.
 *
 * @module
 */
import { dirname } from "node:path";
import { BatchedLines, type BatchedLinesOptions } from "./batched_lines.ts";

export interface LogFileOptions extends Omit<BatchedLinesOptions, "write"> {
  readonly path: string;
}

/** See the module. */
export class LogFile {
  readonly path: string;
  readonly #lines: BatchedLines;
  /** The last batch may have ended within a line: by a crash of an earlier process, or a disk that was full. */
  #tornEnd = true;

  constructor(options: LogFileOptions) {
    this.path = options.path;
    this.#lines = new BatchedLines({ ...options, write: (batch) => this.#append(batch) });
  }

  /** Takes a line; never waits, never throws. */
  add(line: string, urgent = false): void {
    this.#lines.add(line, urgent);
  }

  /** Resolves when what was added before is in the file, or could not be written just now. */
  flush(): Promise<void> {
    return this.#lines.flush();
  }

  /** Writes what there is, a last time, and answers how many lines are lost. */
  close(): Promise<number> {
    return this.#lines.close();
  }

  /** For a process that ends at once: writes what waits without awaiting anything. */
  writeWaitingSync(): void {
    const batch = this.#lines.takeWaiting();
    if (batch !== undefined) Deno.writeFileSync(this.path, batch, { append: true, create: true });
  }

  /**
   * Moves what is written so far to `to`; what comes next goes into a fresh file. No line is lost or cut.
   *
   * @returns The bytes moved; 0, and no file at `to`, when there was nothing.
   * @throws {Deno.errors.AlreadyExists} If there is something at `to`.
   */
  async moveTo(to: string): Promise<number> {
    await this.#lines.flush();
    return await this.#lines.exclusively(async () => {
      const size = await sizeOf(this.path);
      if (size === 0) return 0;
      if (await exists(to)) {
        throw new Deno.errors.AlreadyExists(
          `Cannot move the log file to "${to}": something is there already`,
        );
      }
      await Deno.rename(this.path, to);
      return size;
    });
  }

  /** Appends all of the batch or, as far as the disk allows, nothing of it. */
  async #append(batch: Uint8Array): Promise<void> {
    using file = await this.#open();
    let start = (await file.stat()).size;
    if (this.#tornEnd && start > 0 && await lacksLineEnd(file, start)) start += await file.write(LINE_END);
    this.#tornEnd = true;
    try {
      for (let at = 0; at < batch.byteLength;) at += await file.write(batch.subarray(at));
    } catch (error) {
      await file.truncate(start).catch(() => {});
      throw error;
    }
    this.#tornEnd = false;
  }

  async #open(): Promise<Deno.FsFile> {
    const options = { append: true, create: true, read: true, mode: 0o640 };
    try {
      return await Deno.open(this.path, options);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await Deno.mkdir(dirname(this.path), { recursive: true });
      return await Deno.open(this.path, options);
    }
  }
}

const LINE_END = new Uint8Array([0x0a]);

async function lacksLineEnd(file: Deno.FsFile, size: number): Promise<boolean> {
  const last = new Uint8Array(1);
  await file.seek(size - 1, Deno.SeekMode.Start);
  return await file.read(last) === 1 && last[0] !== 0x0a;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
