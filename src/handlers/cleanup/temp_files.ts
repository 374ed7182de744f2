/**
 * Removes scratch files that nobody has touched for a while, and the folders that this leaves empty.
 *
 * Nothing outside the folder is ever removed: links are not followed, an old link is itself removed, and a folder is
 * entered only when it really lies inside.
 *
 * @module
 */
import { join, relative } from "node:path";
import { explain, tryRemove } from "./remove_file.ts";

/**
 * Removes what was last changed before `before`, at any depth. The folder itself stays; a missing one holds nothing.
 *
 * @throws {Error} If a folder cannot be read or a file not removed, after all others are.
 */
export async function removeOldTempFiles(
  tempDir: string,
  before: Date,
  signal: AbortSignal,
  removed: (name: string, bytes: number) => void,
): Promise<void> {
  let root: string;
  try {
    root = await Deno.realPath(tempDir);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new Error(explain("read the folder of temporary files", tempDir, error), { cause: error });
  }
  const failures: string[] = [];
  await clean(root);
  if (failures.length > 0) throw new Error(failures.join("; "));

  async function clean(dir: string): Promise<void> {
    let entries: Deno.DirEntry[];
    try {
      // Somebody may have put a link in the folder's place since it was listed.
      if (await Deno.realPath(dir) !== dir) return;
      entries = await Array.fromAsync(Deno.readDir(dir));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) failures.push(explain("read", dir, error));
      return;
    }
    for (const entry of entries) {
      signal.throwIfAborted();
      const path = join(dir, entry.name);
      const info = await Deno.lstat(path).catch(() => undefined);
      if (info === undefined) continue;
      const old = lastTouched(info) < before.getTime();
      if (info.isDirectory) {
        await clean(path);
        if (old) await removeWhenEmpty(path);
      } else if (old && (info.isFile || info.isSymlink)) {
        await tryRemove(path, (bytes) => removed(relative(root, path), bytes), failures);
      }
    }
  }
}

/** A file that was moved here keeps its old time of writing; the time of its last change tells of the move. */
function lastTouched(info: Deno.FileInfo): number {
  return Math.max(info.mtime?.getTime() ?? Infinity, info.ctime?.getTime() ?? 0);
}

/** A folder that is not empty, or has gone, is as it should be. */
async function removeWhenEmpty(dir: string): Promise<void> {
  await Deno.remove(dir).catch(() => {});
}
