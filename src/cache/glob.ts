/**
 * The patterns that a flush takes: `*` is any run of characters, `?` is one character, all else is itself.
 *
 * Matched here and not by the store, so that every cache means the same by a pattern: Redis reads `[` and `\` in its
 * own way and takes `?` for a byte.
 *
 * @module
 */
import { MAX_KEY_LENGTH } from "./entry_limits.ts";

/** A compiled pattern. */
export interface Glob {
  /** What every matching key begins with, up to the first wildcard; may be empty. */
  readonly head: string;
  matches(key: string): boolean;
}

/**
 * Compiles a pattern. Matching takes at most `pattern × key` steps, whatever the pattern.
 *
 * @throws {RangeError} When the pattern is empty or longer than 512 characters.
 */
export function compileGlob(pattern: string): Glob {
  if (pattern.length === 0 || pattern.length > MAX_KEY_LENGTH) {
    throw new RangeError(
      `A cache pattern must have 1 to ${MAX_KEY_LENGTH} characters, not ${pattern.length}`,
    );
  }
  const wanted = [...pattern];
  const head = /^[^*?]*/.exec(pattern)?.[0] ?? "";
  return { head, matches: (key) => key.startsWith(head) && matches(wanted, [...key]) };
}

/** Remembers the last `*` only: giving it one more character is all that ever needs to be tried again. */
function matches(wanted: readonly string[], key: readonly string[]): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let starAt = 0;
  while (at < key.length) {
    if (wanted[next] === "*") {
      star = next++;
      starAt = at;
    } else if (wanted[next] === "?" || wanted[next] === key[at]) {
      next++;
      at++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (wanted[next] === "*") next++;
  return next === wanted.length;
}
