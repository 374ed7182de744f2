/**
 * Removes old archives of logs, told by the names that `log_rotate` gives: `<log>.<yyyymmddThhmmssmmm>.gz`.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import type { LogFiles } from "../handler.ts";
import { explain, tryRemove } from "./remove_file.ts";

const ARCHIVE = /^(.+)\.(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})\.gz$/;

/** When an archive was made and of which log, or `undefined` for any other file. */
export function parseArchive(name: string): { log: string; madeAt: Date } | undefined {
  const [, log, year, month, day, hour, minute, second, ms] = ARCHIVE.exec(name) ?? [];
  if (log === undefined) return undefined;
  const madeAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
  return Number.isNaN(madeAt.getTime()) ? undefined : { log, madeAt };
}

/**
 * Removes the archives made before `before`: of Daybook's own log, and of the `*.log` files of the configured folders.
 *
 * @throws {Error} If a folder cannot be read or a file not removed, after all others are.
 */
export async function removeOldArchives(
  logs: LogFiles,
  before: Date,
  signal: AbortSignal,
  removed: (name: string, bytes: number) => void,
): Promise<void> {
  const ownLog = basename(logs.own.path);
  const folders = [
    { dir: dirname(logs.own.path), missing: true, isLog: (log: string) => log === ownLog },
    ...logs.dirs.map((dir) => ({ dir, missing: false, isLog: (log: string) => log.endsWith(".log") })),
  ];
  const failures: string[] = [];
  for (const { dir, missing, isLog } of folders) {
    let names: string[];
    try {
      names = await regularFiles(dir);
    } catch (error) {
      // Before the first line is logged there is no folder of Daybook's own yet.
      if (!(missing && error instanceof Deno.errors.NotFound)) {
        failures.push(explain("read the log folder", dir, error));
      }
      continue;
    }
    for (const name of names) {
      const archive = parseArchive(name);
      if (archive === undefined || !isLog(archive.log) || archive.madeAt >= before) continue;
      signal.throwIfAborted();
      await tryRemove(join(dir, name), (bytes) => removed(name, bytes), failures);
    }
  }
  if (failures.length > 0) throw new Error(failures.join("; "));
}

async function regularFiles(dir: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(dir)) if (entry.isFile) names.push(entry.name);
  return names.sort();
}
