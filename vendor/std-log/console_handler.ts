/**
 * Lines on the console, coloured by level.
 *
 * @module
 */
import { BaseHandler, type BaseHandlerOptions } from "./base_handler.ts";
import { type LevelName, type LogLevel, LogLevels } from "./levels.ts";
import type { LogRecord } from "./record.ts";

export interface ConsoleHandlerOptions extends BaseHandlerOptions {
  /** Default `true`; `NO_COLOR` is respected. */
  useColors?: boolean;
}

const COLORS: Partial<Record<LogLevel, [string, string]>> = {
  [LogLevels.INFO]: ["\x1b[34m", "\x1b[39m"],
  [LogLevels.WARN]: ["\x1b[33m", "\x1b[39m"],
  [LogLevels.ERROR]: ["\x1b[31m", "\x1b[39m"],
  [LogLevels.CRITICAL]: ["\x1b[1m\x1b[31m", "\x1b[39m\x1b[22m"],
};

/** Writes each record with `console.log`. */
export class ConsoleHandler extends BaseHandler {
  #useColors: boolean;

  constructor(levelName: LevelName, options: ConsoleHandlerOptions = {}) {
    super(levelName, options);
    this.#useColors = (options.useColors ?? true) && !Deno.noColor;
  }

  override format(logRecord: LogRecord): string {
    const text = super.format(logRecord);
    return this.#useColors ? this.applyColors(text, logRecord.level) : text;
  }

  applyColors(msg: string, level: LogLevel): string {
    const color = COLORS[level];
    return color === undefined ? msg : `${color[0]}${msg}${color[1]}`;
  }

  override log(msg: string): void {
    console.log(msg);
  }
}
