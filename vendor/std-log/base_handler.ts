/**
 * What every handler shares: a level of its own and a formatter.
 *
 * @module
 */
import { getLevelByName, getLevelName, type LevelName, type LogLevel } from "./levels.ts";
import type { LogRecord } from "./record.ts";

export type FormatterFunction = (logRecord: LogRecord) => string;

export interface BaseHandlerOptions {
  /** Makes the text of a record. Default `LEVEL message`. */
  formatter?: FormatterFunction;
}

/** Formats the records that reach its level and hands the text to {@linkcode BaseHandler.log}. */
export abstract class BaseHandler {
  #level: LogLevel;
  formatter: FormatterFunction;

  constructor(levelName: LevelName, options: BaseHandlerOptions = {}) {
    this.#level = getLevelByName(levelName);
    this.formatter = options.formatter ?? (({ levelName, msg }) => `${levelName} ${msg}`);
  }

  get level(): LogLevel {
    return this.#level;
  }
  set level(level: LogLevel) {
    this.#level = getLevelByName(getLevelName(level));
  }

  get levelName(): LevelName {
    return getLevelName(this.#level);
  }
  set levelName(levelName: LevelName) {
    this.#level = getLevelByName(levelName);
  }

  handle(logRecord: LogRecord): void {
    if (this.#level > logRecord.level) return;
    this.log(this.format(logRecord));
  }

  format(logRecord: LogRecord): string {
    return this.formatter(logRecord);
  }

  abstract log(msg: string): void;

  /** Called by `setup()` before the first record. */
  setup(): void {}

  /** Called by the next `setup()`. */
  destroy(): void {}

  [Symbol.dispose](): void {
    this.destroy();
  }
}
