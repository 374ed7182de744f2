/**
 * The logger: `@std/log`'s face, LogTape's engine.
 *
 * A record of a level that is off costs one comparison. Any other passes through LogTape under the category
 * `["std-log", <logger name>]`, so that a program may add sinks of its own (OpenTelemetry, say) beside the handlers;
 * an object as the second argument becomes the record's properties there.
 *
 * @module
 */
import { getLogger as getEngine, type Logger as Engine } from "npm:@logtape/logtape@2.4.2";
import type { BaseHandler } from "./base_handler.ts";
import { deliver, type EngineMethod } from "./engine.ts";
import { getLevelByName, getLevelName, type LevelName, type LogLevel, LogLevels } from "./levels.ts";
import { LogRecord } from "./record.ts";

// deno-lint-ignore no-explicit-any
export type GenericFunction = (...args: any[]) => any;

export interface LoggerOptions {
  handlers?: BaseHandler[];
}

const METHODS: Record<LogLevel, EngineMethod> = {
  [LogLevels.NOTSET]: "trace",
  [LogLevels.DEBUG]: "debug",
  [LogLevels.INFO]: "info",
  [LogLevels.WARN]: "warning",
  [LogLevels.ERROR]: "error",
  [LogLevels.CRITICAL]: "fatal",
};

/** A named source of records. Each method answers what it was given as the message, or what that function gave. */
export class Logger {
  handlers: BaseHandler[];
  readonly #loggerName: string;
  readonly #engine: Engine;
  #level: LogLevel;

  constructor(loggerName: string, levelName: LevelName, options: LoggerOptions = {}) {
    this.#loggerName = loggerName;
    this.#level = getLevelByName(levelName);
    this.handlers = options.handlers ?? [];
    this.#engine = getEngine(["std-log", loggerName]);
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

  get loggerName(): string {
    return this.#loggerName;
  }

  #log<T>(level: LogLevel, msg: T | (() => T), args: unknown[]): T | undefined {
    if (this.#level > level) return msg instanceof Function ? undefined : msg;
    const value = msg instanceof Function ? msg() : msg;
    const text = this.asString(value);
    const record = new LogRecord({ msg: text, args, level, loggerName: this.#loggerName });
    deliver(this.#engine, METHODS[level], record, args, this.handlers);
    return value;
  }

  /** The text of a message that is not a string. */
  asString(data: unknown, isProperty = false): string {
    if (typeof data === "string") return isProperty ? `"${data}"` : data;
    if (data instanceof Error) return data.stack ?? String(data);
    if (typeof data === "function") return "undefined";
    if (data === null || typeof data !== "object") return String(data);
    const entries = Object.entries(data).map(([key, value]) => `"${key}":${this.asString(value, true)}`);
    return `{${entries.join(",")}}`;
  }

  debug<T>(msg: () => T, ...args: unknown[]): T | undefined;
  debug<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  debug<T>(msg: T | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.DEBUG, msg, args);
  }

  info<T>(msg: () => T, ...args: unknown[]): T | undefined;
  info<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  info<T>(msg: T | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.INFO, msg, args);
  }

  warn<T>(msg: () => T, ...args: unknown[]): T | undefined;
  warn<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  warn<T>(msg: T | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.WARN, msg, args);
  }

  error<T>(msg: () => T, ...args: unknown[]): T | undefined;
  error<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  error<T>(msg: T | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.ERROR, msg, args);
  }

  critical<T>(msg: () => T, ...args: unknown[]): T | undefined;
  critical<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  critical<T>(msg: T | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.CRITICAL, msg, args);
  }
}
