/**
 * Where a path leads.
 *
 * @module
 */
import { basename, dirname, join, resolve } from "node:path";

/** The absolute path without symbolic links, as far as it exists and may be read. */
export function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    const parent = dirname(resolve(path));
    return parent === resolve(path) ? parent : join(realPath(parent), basename(path));
  }
}
