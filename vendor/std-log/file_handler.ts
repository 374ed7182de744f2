/**
 * Lines in a file, buffered.
 *
 * @module
 */
import { BaseHandler, type BaseHandlerOptions } from "./base_handler.ts";
import { type LevelName, LogLevels } from "./levels.ts";
import type { LogRecord } from "./record.ts";

/** Append; begin anew; fail when the file exists. */
export type LogMode = "a" | "w" | "x";

export interface FileHandlerOptions extends BaseHandlerOptions {
  filename: string;
  /** Default `"a"`. */
  mode?: LogMode;
  /** Bytes kept before they are written. Default 4096. */
  bufferSize?: number;
}

/** Writes when its buffer is full, for a record above ERROR, on `flush()` and when the process ends. */
export class FileHandler extends BaseHandler {
  #options: FileHandlerOptions;
  #file: Deno.FsFile | undefined;
  #lines: Uint8Array[] = [];
  #bytes = 0;
  #encoder = new TextEncoder();
  #onUnload = () => this.destroy();

  constructor(levelName: LevelName, options: FileHandlerOptions) {
    super(levelName, options);
    this.#options = options;
  }

  override setup(): void {
    const mode = this.#options.mode ?? "a";
    this.#file = Deno.openSync(this.#options.filename, {
      write: true,
      createNew: mode === "x",
      create: mode !== "x",
      append: mode === "a",
      truncate: mode === "w",
    });
    addEventListener("unload", this.#onUnload);
  }

  override handle(logRecord: LogRecord): void {
    super.handle(logRecord);
    if (logRecord.level > LogLevels.ERROR) this.flush();
  }

  override log(msg: string): void {
    const line = this.#encoder.encode(`${msg}\n`);
    this.#lines.push(line);
    this.#bytes += line.byteLength;
    if (this.#bytes >= (this.#options.bufferSize ?? 4096)) this.flush();
  }

  /** Writes what is buffered. */
  flush(): void {
    if (this.#file === undefined) return;
    for (const line of this.#lines) {
      for (let at = 0; at < line.byteLength;) at += this.#file.writeSync(line.subarray(at));
    }
    this.#lines = [];
    this.#bytes = 0;
  }

  override destroy(): void {
    this.flush();
    this.#file?.close();
    this.#file = undefined;
    removeEventListener("unload", this.#onUnload);
  }
}
