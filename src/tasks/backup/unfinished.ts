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

const DEFAULT_NAME = /^daybook-[0-9TZ.-]+\.kv(?=\.unfinished(?:-journal|-wal|-shm|\.lock)?$)/;

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
  const unfinished = await tryBegin(path);
  if (!unfinished) throw new Error(`Another backup to ${path} is under way: name another file with --out`);
  return unfinished;
}

/** Removes what backups with default names left in the folder when they were cut off; not what is being worked on. */
export async function removeLeftovers(dir: string): Promise<void> {
  const names = (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => DEFAULT_NAME.exec(name)?.[0]);
  for (const name of new Set(names)) {
    // Its own backup does not fail for what cannot be removed here.
    if (name !== undefined) await tryBegin(`${dir}/${name}`).then((left) => left?.end()).catch(() => {});
  }
}

async function tryBegin(path: string): Promise<Unfinished | undefined> {
  const unfinished = `${path}.unfinished`;
  const lockPath = `${unfinished}.lock`;
  for (;;) {
    const lock = await Deno.open(lockPath, { create: true, read: true, write: true, mode: 0o600 });
    if (!await lock.tryLock(true)) {
      lock.close();
      return undefined;
    }
    // Whoever held it before may have removed it since it was opened, and a lock on what has no name keeps nobody out.
    if (await isAt(lockPath, lock)) {
      await removeKvFile(unfinished);
      return {
        path: unfinished,
        async end() {
          await removeKvFile(unfinished);
          await Deno.remove(lockPath).catch(() => {});
          lock.close();
        },
      };
    }
    lock.close();
  }
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
