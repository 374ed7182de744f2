/**
 * The part of `@std/log` 0.224 that Daybook uses, over LogTape, where JSR is out of reach.
 *
 * Linked by `deno.json`, whose import map keeps the upstream name and range. Delete the `links` entry to use JSR.
 *
 * @example
 * ```ts ignore
 * import { ConsoleHandler, getLogger, setup } from "@std/log";
 *
 * setup({
 *   handlers: { console: new ConsoleHandler("DEBUG") },
 *   loggers: { api: { level: "INFO", handlers: ["console"] } },
 * });
 * getLogger("api").info("Listening", { port: 2000 });
 * ```
 *
 * @module
 */
import type { BaseHandler } from "./base_handler.ts";
import { ConsoleHandler } from "./console_handler.ts";
import { connect } from "./engine.ts";
import type { LevelName } from "./levels.ts";
import { Logger } from "./logger.ts";

export { BaseHandler, type BaseHandlerOptions, type FormatterFunction } from "./base_handler.ts";
export { ConsoleHandler, type ConsoleHandlerOptions } from "./console_handler.ts";
export { FileHandler, type FileHandlerOptions, type LogMode } from "./file_handler.ts";
export {
  getLevelByName,
  getLevelName,
  type LevelName,
  type LogLevel,
  LogLevelNames,
  LogLevels,
} from "./levels.ts";
export { type GenericFunction, Logger, type LoggerOptions } from "./logger.ts";
export { LogRecord, type LogRecordOptions } from "./record.ts";

export interface LoggerConfig {
  /** Records below are not made. Default `"INFO"`. */
  level?: LevelName;
  /** Names of handlers; a name that no handler has is passed over. */
  handlers?: string[];
}

export interface LogConfig {
  handlers?: Record<string, BaseHandler>;
  loggers?: Record<string, LoggerConfig>;
}

const DEFAULTS = {
  handlers: { default: new ConsoleHandler("INFO") },
  loggers: { default: { level: "INFO", handlers: ["default"] } },
} satisfies LogConfig;

const handlers = new Map<string, BaseHandler>();
const loggers = new Map<string, Logger>();

/** Replaces handlers and loggers. Loggers taken earlier keep their old level and handlers. */
export function setup(config: LogConfig): void {
  for (const handler of handlers.values()) handler.destroy();
  handlers.clear();
  for (const [name, handler] of Object.entries({ ...DEFAULTS.handlers, ...config.handlers })) {
    handler.setup();
    handlers.set(name, handler);
  }
  loggers.clear();
  for (const [name, settings] of Object.entries<LoggerConfig>({ ...DEFAULTS.loggers, ...config.loggers })) {
    const chosen = (settings.handlers ?? []).flatMap((handler) => handlers.get(handler) ?? []);
    loggers.set(name, new Logger(name, settings.level ?? "INFO", { handlers: chosen }));
  }
  connect();
}

/** The logger of that name; without a name the default one. A name that `setup()` was not given logs nothing. */
export function getLogger(name = "default"): Logger {
  const known = loggers.get(name);
  if (known !== undefined) return known;
  const logger = new Logger(name, "NOTSET", { handlers: [] });
  loggers.set(name, logger);
  return logger;
}

setup({});
