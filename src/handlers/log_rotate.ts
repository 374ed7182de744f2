/**
 * The job type `log_rotate`: moves what the logs hold into gzipped archives beside them, and keeps the newest.
 *
 * It rotates Daybook's own log, of which no line is lost or repeated whenever this is cut short, and the `*.log` files
 * directly in the configured folders, whose writers keep them open (see `log_rotate/copy_truncate.ts` for what that
 * means). Links and whatever is no regular file are left alone. Empty logs are not archived. What an attempt that was
 * cut short left behind is finished first.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import type { HandlerContext, JobHandler, LogFiles } from "./handler.ts";
import { compress } from "./log_rotate/compress.ts";
import { copyAndTruncate, settleCopy } from "./log_rotate/copy_truncate.ts";
import {
  freePath,
  openAlone,
  orUndefined,
  regularFiles,
  removeFile,
  rotatedFiles,
  sizeOf,
} from "./log_rotate/files.ts";

/** What a rotation answers; all figures are measured. */
export interface LogRotateResult {
  readonly status: "success";
  /** Archives made. */
  readonly logs_archived: number;
  /** What compressing and removing old archives gave back, in millions of bytes; 0 when archives outweigh that. */
  readonly space_freed_mb: number;
  /** Daybook's own log afterwards, in millions of bytes. */
  readonly current_log_size_mb: number;
  readonly duration_ms: number;
}

interface Log {
  readonly path: string;
  /** Moves the lines to a path; `false` when there are none. */
  moveTo(to: string): Promise<boolean>;
}

/** Rotates all logs; see the module's comment. */
export const logRotate: JobHandler<Record<string, never>, LogRotateResult> = {
  jobType: "log_rotate",
  payloadSchema: z.strictObject({}),
  async run(_payload, context) {
    const started = performance.now();
    const { own, keep } = context.services.logs;
    const logs = await logsToRotate(context);
    let archived = 0;
    let freed = 0;
    for (const [index, log] of logs.entries()) {
      context.signal.throwIfAborted();
      context.progress(100 * index / logs.length, `Rotating ${basename(log.path)}`);
      const done = await rotate(log, Math.max(1, keep), context);
      archived += done.archived;
      freed += done.freed;
    }
    context.progress(100, `${archived} archived`);
    return {
      status: "success",
      logs_archived: archived,
      space_freed_mb: Math.max(0, freed) / 1e6,
      current_log_size_mb: await sizeOf(own.path) / 1e6,
      duration_ms: Math.round(performance.now() - started),
    };
  },
};

/**
 * Daybook's own log first; then each folder's, with those of which only rotated files are left.
 *
 * What cannot be rotated fails here, before any log is touched: a retry would rotate the others again, and their small
 * new archives would push out the old ones.
 */
async function logsToRotate({ services: { logs }, signal }: HandlerContext): Promise<Log[]> {
  const { own } = logs;
  const ownPath = await realPath(own.path);
  const found = new Map<string, Log>();
  found.set(ownPath, { path: own.path, moveTo: async (to) => await own.moveTo(to) > 0 });
  for (const dir of await readableFolders(logs)) {
    const names = await regularFiles(dir);
    const rotated = (await rotatedFiles(dir)).map((file) => file.log);
    for (const name of new Set([...names, ...rotated].filter((name) => name.endsWith(".log")))) {
      const path = join(dir, name);
      if (found.has(path)) continue;
      await assertWritable(path);
      found.set(path, { path, moveTo: (to) => copyAndTruncate(path, to, signal) });
    }
  }
  return [...found.values()];
}

/** @throws {Error} If a folder is missing or cannot be read. */
async function readableFolders({ dirs }: LogFiles): Promise<string[]> {
  const real: string[] = [];
  for (const dir of dirs) {
    try {
      real.push(await Deno.realPath(dir));
      await regularFiles(dir);
    } catch (error) {
      throw new Error(
        `Cannot read the log folder "${dir}" (${nameOf(error)}); mend it or take it out of DAYBOOK_LOG_DIRS`,
        { cause: error },
      );
    }
  }
  return [...new Set(real)];
}

async function assertWritable(path: string): Promise<void> {
  try {
    (await openAlone(path, "write"))?.close();
  } catch (error) {
    throw new Error(`Cannot rotate the log "${path}" (${nameOf(error)}); it must be writable for Daybook`, {
      cause: error,
    });
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}

/** The path without links in its folder's; the log itself need not exist yet. */
async function realPath(path: string): Promise<string> {
  const dir = await orUndefined(() => Deno.realPath(dirname(path)));
  return dir === undefined ? path : join(dir, basename(path));
}

async function rotate(
  log: Log,
  keep: number,
  context: HandlerContext,
): Promise<{ archived: number; freed: number }> {
  const dir = dirname(log.path);
  const rotated = async () => (await rotatedFiles(dir)).filter((file) => file.log === basename(log.path));

  const left = await rotated();
  for (const file of left) {
    const whole = left.some((other) => other.kind === "moved" && other.stamp === file.stamp);
    if (file.kind === "copy") await settleCopy(log.path, join(dir, file.name));
    if (file.kind === "unfinished" && !whole) await removeFile(join(dir, file.name));
  }
  await moveOut(log, context);

  let archived = 0;
  let freed = 0;
  for (const file of await rotated()) {
    if (file.kind !== "moved") continue;
    context.signal.throwIfAborted();
    const saved = await compress(join(dir, file.name), context.signal);
    if (saved === undefined) continue;
    archived++;
    freed += saved;
    context.log(`Archived ${file.name}.gz`);
  }

  const archives = (await rotated()).filter((file) => file.kind === "archive").map((file) => file.name)
    .sort();
  for (const name of archives.slice(0, -keep)) {
    freed += await removeFile(join(dir, name));
    context.log(`Removed the archive ${name}: only the newest ${keep} are kept`);
  }
  return { archived, freed };
}

/** Another rotation may take the same name in between; then the next free one is tried. */
async function moveOut(log: Log, context: HandlerContext): Promise<void> {
  for (;;) {
    context.signal.throwIfAborted();
    try {
      await log.moveTo(await freePath(log.path, context.now()));
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}
