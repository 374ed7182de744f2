/**
 * The lock on a KV file: one process owns it, and a second one is told which.
 *
 * Two writing processes on one Deno KV file make each other fail. The operating system gives the lock back when its
 * holder dies, however it dies.
 *
 * @module
 */
import { realPath } from "../config/real_path.ts";
import { writtenTo } from "./disk_error.ts";

/** What is told of the holder. */
export interface LockHolder {
  readonly pid: number;
  readonly hostname: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

/** Another process holds the lock. */
export class StoreLockedError extends Error {
  override readonly name = "StoreLockedError";
  constructor(readonly path: string, readonly holder: LockHolder | undefined) {
    const who = holder
      ? `process ${holder.pid} on ${holder.hostname}, since ${holder.since}`
      : "another process";
    super(
      `${path} is in use by ${who}. Stop that one first, or give this one a file of its own with DAYBOOK_DATA or DAYBOOK_KV.`,
    );
  }
}

/**
 * Takes the lock on the file at `path`, or fails at once. Through a symbolic link it is the lock on what that leads to.
 *
 * @returns A function that gives it back.
 * @throws {StoreLockedError} If another process holds it.
 * @throws {DiskError} If the disk takes nothing.
 */
export async function lockStore(path: string, self: LockHolder = thisProcess()): Promise<() => void> {
  // The holder is named in a file of its own: on Windows a locked file cannot be read.
  const at = realPath(path);
  const holderPath = `${at}.holder`;
  const file = await writtenTo(path, Deno.open(`${at}.lock`, { create: true, read: true, write: true }));
  if (!await file.tryLock(true)) {
    file.close();
    throw new StoreLockedError(path, await readHolder(holderPath));
  }
  try {
    await writtenTo(path, Deno.writeTextFile(holderPath, JSON.stringify(self)));
  } catch (error) {
    file.close();
    throw error;
  }
  return () => {
    try {
      Deno.removeSync(holderPath);
    } catch (error) {
      // Somebody has removed the folder.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    file.close();
  };
}

function thisProcess(): LockHolder {
  return { pid: Deno.pid, hostname: Deno.hostname(), since: new Date().toISOString() };
}

async function readHolder(path: string): Promise<LockHolder | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch {
    // It may be starting or stopping just now.
    return undefined;
  }
}
