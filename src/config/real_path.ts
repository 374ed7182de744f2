/**
 * Where a path leads.
 *
 * @module
 */
import { basename, dirname, join, resolve } from "node:path";

/** As Linux has it. */
const MOST_LINKS = 40;

/** The absolute path without symbolic links, as far as it may be read; what it leads to need not be there. */
export function realPath(path: string, links = MOST_LINKS): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    const target = linkTarget(path);
    if (target !== undefined && links > 0) return realPath(resolve(dirname(path), target), links - 1);
    const parent = dirname(resolve(path));
    return parent === resolve(path) ? parent : join(realPath(parent, links), basename(path));
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}
