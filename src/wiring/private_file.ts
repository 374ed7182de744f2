/**
 * A file that only its owner can read and that appears whole or not at all.
 *
 * @module
 */

/**
 * Writes the text to the file, whose folder must be there; it is on disk when this resolves.
 *
 * @throws {Error} If it cannot be written; nothing is left behind then.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.creating`;
  try {
    // What a start left that was cut off here.
    await Deno.remove(unfinished).catch(() => {});
    // A file's own `write` may take less than it is given.
    await Deno.writeTextFile(unfinished, text, { createNew: true, mode: 0o600 });
    using file = await Deno.open(unfinished, { write: true });
    await file.sync();
    await Deno.rename(unfinished, path);
  } catch (error) {
    await Deno.remove(unfinished).catch(() => {});
    throw error;
  }
}
