/**
 * The file that a backup is made in before it gets its name, by one process at a time.
 *
 * The operating system gives the lock back when its holder dies, so what nobody holds was cut off and can go.
 *
 * @module
 */
import { removeKvFile } from "../audit/new_file.ts";

export interface Unfinished {
  readonly path: string;
  /** Removes what is still there, and gives the lock back. */
  end(): Promise<void>;
}

const UNFINISHED = ".unfinished";
const LOCK = `${UNFINISHED}.lock`;
/** Whoever clears away holds a lock for a moment. */
const TRIES = 20;
const BETWEEN_TRIES_MS = 50;

/** Where a backup goes that is given no name. */
export function defaultPath(dir: string, now: Date): string {
  return `${dir}/daybook-${now.toISOString().replaceAll(":", "-")}.kv`;
}

/**
 * Begins a backup that is to be called `path`, with nothing left of an earlier one.
 *
 * @throws {Error} If another process makes one of that name.
 */
export async function begin(path: string): Promise<Unfinished> {
  for (let tries = 1; tries <= TRIES; tries++) {
    const unfinished = await tryBegin(path);
    if (unfinished) return unfinished;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
  }
  throw new Error(`Another backup to ${path} is under way: name another file with --out`);
}

/** Removes what backups in the folder left when they were cut off; not what is being worked on. */
export async function removeLeftovers(dir: string): Promise<void> {
  for await (const { name } of Deno.readDir(dir)) {
    if (!name.endsWith(LOCK)) continue;
    // Its own backup does not fail for what cannot be removed here.
    await tryBegin(`${dir}/${name.slice(0, -LOCK.length)}`).then((left) => left?.end()).catch(() => {});
  }
}

async function tryBegin(path: string): Promise<Unfinished | undefined> {
  const unfinished = path + UNFINISHED;
  for (;;) {
    const lock = await Deno.open(path + LOCK, { create: true, read: true, write: true, mode: 0o600 });
    try {
      if (!await lock.tryLock(true)) {
        lock.close();
        return undefined;
      }
      // Whoever held it before may have removed it since it was opened, and a lock on what has no name keeps nobody out.
      if (await isAt(path + LOCK, lock)) {
        await removeKvFile(unfinished);
        return { path: unfinished, end: () => end(path, lock) };
      }
    } catch (error) {
      lock.close();
      throw error;
    }
    lock.close();
  }
}

async function end(path: string, lock: Deno.FsFile): Promise<void> {
  await removeKvFile(path + UNFINISHED);
  await Deno.remove(path + LOCK).catch(() => {});
  lock.close();
}

async function isAt(path: string, file: Deno.FsFile): Promise<boolean> {
  try {
    const [named, open] = await Promise.all([Deno.stat(path), file.stat()]);
    return named.ino === open.ino && named.dev === open.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
