/**
 * Turns lines that were moved out of a log into an archive.
 *
 * @module
 */
import { openAlone, orUndefined, removeFile, syncFolderOf } from "./files.ts";

/**
 * Compresses `<path>` to `<path>.gz` and removes it.
 *
 * The archive appears under its name only when it is complete and on disk, and only then the lines outside it are
 * removed: whenever this is cut short, they are whole in one of the two, and it can be repeated.
 *
 * @returns The bytes that this freed, negative when the archive is larger; `undefined` when there was nothing to do.
 */
export async function compress(path: string, signal: AbortSignal): Promise<number | undefined> {
  using moved = await openAlone(path, "read");
  if (moved === undefined) return undefined;
  const { size, mode } = await moved.stat();
  if (size === 0) {
    await Deno.remove(path);
    return undefined;
  }
  const archive = `${path}.gz`;
  const unfinished = `${archive}.tmp`;
  // Not truncated but removed: what stands there under this name might be a link.
  await orUndefined(() => Deno.remove(unfinished));
  try {
    using target = await Deno.open(unfinished, {
      write: true,
      createNew: true,
      mode: (mode ?? 0o640) & 0o777,
    });
    await gzip(moved, target, signal);
    await target.sync();
    const { size: archiveSize } = await target.stat();
    await Deno.rename(unfinished, archive);
    await syncFolderOf(archive);
    await Deno.remove(path);
    return size - archiveSize;
  } catch (error) {
    await removeFile(unfinished);
    throw error;
  }
}

/** Both ends have settled when this has, whatever happened: the files may be closed. */
async function gzip(source: Deno.FsFile, target: Deno.FsFile, signal: AbortSignal): Promise<void> {
  const stream = new CompressionStream("gzip");
  const results = await Promise.allSettled([
    feed(stream.writable.getWriter(), source, signal),
    stream.readable.pipeTo(intoFile(target)),
  ]);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

async function feed(
  writer: WritableStreamDefaultWriter<BufferSource>,
  source: Deno.FsFile,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      signal.throwIfAborted();
      const chunk = new Uint8Array(65_536);
      const read = await source.read(chunk);
      if (read === null) break;
      await writer.write(chunk.subarray(0, read));
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}

function intoFile(file: Deno.FsFile): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(chunk) {
      for (let at = 0; at < chunk.byteLength;) at += await file.write(chunk.subarray(at));
    },
  });
}
