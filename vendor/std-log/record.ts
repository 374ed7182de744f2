/**
 * One record on its way to the handlers.
 *
 * @module
 */
import { getLevelName, type LevelName, type LogLevel } from "./levels.ts";

export interface LogRecordOptions {
  msg: string;
  args: unknown[];
  level: LogLevel;
  loggerName: string;
}

/** What was logged: the message as text, the further arguments, the level, the logger and the moment. */
export class LogRecord {
  readonly msg: string;
  readonly level: LogLevel;
  readonly levelName: LevelName;
  readonly loggerName: string;
  #args: unknown[];
  #time: number;

  constructor(options: LogRecordOptions) {
    this.msg = options.msg;
    this.level = options.level;
    this.levelName = getLevelName(options.level);
    this.loggerName = options.loggerName;
    this.#args = options.args;
    this.#time = Date.now();
  }

  get args(): unknown[] {
    return [...this.#args];
  }

  get datetime(): Date {
    return new Date(this.#time);
  }
}
