/**
 * The router: Hono's `TrieRouter`, asked once for each path without parameters.
 *
 * Hono's `RegExpRouter` remembers those by itself, but takes no `batch` beside an `:id`.
 *
 * @module
 */
import type { Result, Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";

export class RememberingRouter<T> implements Router<T> {
  readonly name = "RememberingRouter";
  readonly #trie = new TrieRouter<T>();
  /** By path and method, of those that were added: no caller's path or method makes it grow. */
  readonly #found = new Map<string, Map<string, Result<T> | undefined>>();

  add(method: string, path: string, handler: T): void {
    this.#trie.add(method, path, handler);
    // It may belong to what was found before.
    for (const byMethod of this.#found.values()) {
      for (const known of byMethod.keys()) byMethod.set(known, undefined);
    }
    if (/[:*]/.test(path)) return;
    const byMethod = this.#found.get(path) ?? new Map<string, undefined>();
    this.#found.set(path, byMethod.set(method, undefined));
  }

  match(method: string, path: string): Result<T> {
    const byMethod = this.#found.get(path);
    const found = byMethod?.get(method);
    if (found) return found;
    const result = this.#trie.match(method, path);
    if (byMethod?.has(method)) byMethod.set(method, result);
    return result;
  }
}
