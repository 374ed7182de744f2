/**
 * Opening, listing and syncing files in a folder where others write too.
 *
 * @module
 */
import { basename, dirname } from "node:path";
import { parseRotated, type Rotated, stampOf } from "./names.ts";

/**
 * Opens a regular file for this rotation alone, by an advisory lock that ends when the file is closed.
 *
 * @returns `undefined` when there is no such file, when it is a link or has a second name, or when another rotation
 * holds it: what is not plainly a log of this folder is left alone.
 */
export async function openAlone(path: string, access: "read" | "write"): Promise<Deno.FsFile | undefined> {
  const file = await orUndefined(async () => {
    // Asked before opening too: opening a pipe would wait for its other end.
    if (!(await Deno.lstat(path)).isFile) return undefined;
    return await Deno.open(path, { read: true, write: access === "write" });
  });
  if (file === undefined) return undefined;
  try {
    if (await file.tryLock(true) && await isPlainlyAt(file, path)) return file;
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
  return undefined;
}

/** The name may have been given to another file, or a link, while it was being opened or locked. */
async function isPlainlyAt(file: Deno.FsFile, path: string): Promise<boolean> {
  const named = await orUndefined(() => Deno.lstat(path));
  const opened = await file.stat();
  return named !== undefined && named.isFile && named.ino === opened.ino && named.dev === opened.dev &&
    (opened.nlink ?? 1) === 1;
}

/** The regular files of a folder, by name. */
export async function regularFiles(dir: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(dir)) if (entry.isFile) names.push(entry.name);
  return names.sort();
}

/** What rotation has made of the logs of a folder; none when the folder is missing. */
export async function rotatedFiles(dir: string): Promise<Rotated[]> {
  const names = await orUndefined(() => regularFiles(dir));
  return (names ?? []).flatMap((name) => parseRotated(name) ?? []);
}

/** A path for the lines that leave `log` now: nothing in the folder has that name, or had it before compression. */
export async function freePath(log: string, now: Date): Promise<string> {
  const taken = new Set<string>();
  for await (const { name } of Deno.readDir(dirname(log))) {
    taken.add(name.replace(/(\.copy|\.gz|\.gz\.tmp)$/, ""));
  }
  for (let ms = now.getTime();; ms++) {
    const path = `${log}.${stampOf(new Date(ms))}`;
    if (!taken.has(basename(path))) return path;
  }
}

/** The size in bytes; 0 when there is no such file. */
export async function sizeOf(path: string): Promise<number> {
  return (await orUndefined(() => Deno.lstat(path)))?.size ?? 0;
}

/** Makes names that were given or taken away in the folder of `path` survive power loss, where the system can. */
export async function syncFolderOf(path: string): Promise<void> {
  try {
    using dir = await Deno.open(dirname(path));
    await dir.sync();
  } catch {
    // Not every system opens folders; the files themselves are synced.
    return;
  }
}

/** Removes a file and answers its size; 0 when another was faster. */
export async function removeFile(path: string): Promise<number> {
  const size = await sizeOf(path);
  return await orUndefined(() => Deno.remove(path).then(() => size)) ?? 0;
}

/** `undefined` in place of "no such file". */
export async function orUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
