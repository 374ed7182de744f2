/**
 * Takes the lines out of a log that another program writes.
 *
 * That program keeps the file open, so the file must stay: renaming it would send every later line to the archive.
 * It is copied and then emptied. A line written in the instant between the last read and the emptying (a few
 * microseconds, both without a pause) would be lost; no line of Daybook's own log goes this way.
 *
 * @module
 */
import { openAlone, orUndefined, removeFile, syncFolderOf } from "./files.ts";

const CHUNK = 65_536;

/**
 * Moves the content of `log` to `to`.
 *
 * @returns Whether there was any; `false` also when the log is gone, is no regular file, or is being rotated.
 */
export async function copyAndTruncate(log: string, to: string, signal: AbortSignal): Promise<boolean> {
  using source = await openAlone(log, "write");
  if (source === undefined) return false;
  const { size, mode } = await source.stat();
  if (size === 0) return false;

  const copy = `${to}.copy`;
  let emptied = false;
  try {
    using target = await Deno.open(copy, { write: true, createNew: true, mode: (mode ?? 0o640) & 0o777 });
    const chunk = new Uint8Array(CHUNK);
    for (let read = await source.read(chunk); read !== null; read = await source.read(chunk)) {
      signal.throwIfAborted();
      for (let at = 0; at < read;) at += await target.write(chunk.subarray(at, read));
    }
    // The bulk is on disk before anything is taken from the log; what came meanwhile is short.
    await target.sync();
    for (let read = source.readSync(chunk); read !== null; read = source.readSync(chunk)) {
      for (let at = 0; at < read;) at += target.writeSync(chunk.subarray(at, read));
    }
    source.truncateSync(0);
    emptied = true;
    await target.sync();
  } catch (error) {
    if (!emptied) await removeFile(copy);
    throw error;
  }
  await Deno.rename(copy, to);
  await syncFolderOf(to);
  return true;
}

/**
 * Settles a copy that an attempt cut short has left: removes it when the log still has its lines, else keeps it as
 * lines that were moved out of the log.
 */
export async function settleCopy(log: string, copy: string): Promise<void> {
  const exists = await orUndefined(() => Deno.lstat(log)) !== undefined;
  using held = await openAlone(log, "read");
  if (exists && held === undefined) return;
  using copied = await openAlone(copy, "read");
  if (copied === undefined) return;
  if (held !== undefined && await beginsWith(held, copied)) await Deno.remove(copy);
  else await Deno.rename(copy, copy.slice(0, -".copy".length));
  await syncFolderOf(copy);
}

async function beginsWith(whole: Deno.FsFile, beginning: Deno.FsFile): Promise<boolean> {
  if ((await whole.stat()).size < (await beginning.stat()).size) return false;
  const expected = new Uint8Array(CHUNK);
  const actual = new Uint8Array(CHUNK);
  for (let read = await beginning.read(expected); read !== null; read = await beginning.read(expected)) {
    for (let at = 0; at < read;) {
      const got = await whole.read(actual.subarray(at, read));
      if (got === null) return false;
      at += got;
    }
    for (let at = 0; at < read; at++) if (actual[at] !== expected[at]) return false;
  }
  return true;
}
