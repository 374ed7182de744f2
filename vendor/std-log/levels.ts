/**
 * The levels of `@std/log`: six names and their numbers, higher is graver.
 *
 * @module
 */

/** A level's number for each name. */
export const LogLevels = {
  NOTSET: 0,
  DEBUG: 10,
  INFO: 20,
  WARN: 30,
  ERROR: 40,
  CRITICAL: 50,
} as const;

export type LevelName = keyof typeof LogLevels;
export type LogLevel = (typeof LogLevels)[LevelName];

/** All names, lowest first. */
export const LogLevelNames: LevelName[] = ["NOTSET", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"];

const NAMES = new Map<number, LevelName>(LogLevelNames.map((name) => [LogLevels[name], name]));

/**
 * The number of a level.
 *
 * @throws {TypeError} If no level has that name.
 */
export function getLevelByName(name: LevelName): LogLevel {
  const level = Object.hasOwn(LogLevels, name) ? LogLevels[name] : undefined;
  if (level === undefined) throw new TypeError(`Cannot get log level: no level named ${name}`);
  return level;
}

/**
 * The name of a level.
 *
 * @throws {TypeError} If no level has that number.
 */
export function getLevelName(level: LogLevel): LevelName {
  const name = NAMES.get(level);
  if (name === undefined) throw new TypeError(`Cannot get log level: no name for level: ${level}`);
  return name;
}
