/**
 * Removes one file and measures what that freed.
 *
 * @module
 */

/** The first few tell what is wrong; an error's text must stay short. */
const MAX_FAILURES = 5;

/** Removes the file or link at `path`; a failure joins `failures`, a file that has gone meanwhile is no failure. */
export async function tryRemove(
  path: string,
  removed: (bytes: number) => void,
  failures: string[],
): Promise<void> {
  try {
    const { size, nlink, isFile } = await Deno.lstat(path);
    await Deno.remove(path);
    // A file with a second name frees nothing yet.
    removed(isFile && (nlink ?? 1) === 1 ? size : 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (failures.length < MAX_FAILURES) failures.push(explain("remove", path, error));
  }
}

/** `Cannot <deed> "<path>" (<error's name>)`. */
export function explain(deed: string, path: string, error: unknown): string {
  return `Cannot ${deed} "${path}" (${error instanceof Error ? error.name : String(error)})`;
}
