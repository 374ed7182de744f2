/**
 * The router: Hono's `TrieRouter`, asked once for each path without parameters.
 *
 * Hono's `RegExpRouter` remembers those by itself, but takes no `batch` beside an `:id`.
 *
 * @module
 */
import type { Result, Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";

interface Known<T> {
  readonly method: string;
  readonly path: string;
  found: Result<T> | undefined;
}

export class RememberingRouter<T> implements Router<T> {
  readonly name = "RememberingRouter";
  readonly #trie = new TrieRouter<T>();
  /**
   * The routes without parameters; no caller's path or method makes it grow. They are few, and comparing costs less than a
   * map's lookup, for which V8 must hash a request's path, which is new text each time.
   */
  readonly #known: Known<T>[] = [];

  add(method: string, path: string, handler: T): void {
    this.#trie.add(method, path, handler);
    // It may belong to what was found before.
    for (const known of this.#known) known.found = undefined;
    if (!/[:*]/.test(path)) this.#known.push({ method, path, found: undefined });
  }

  match(method: string, path: string): Result<T> {
    const known = this.#known.find((route) => route.path === path && route.method === method);
    if (!known) return this.#trie.match(method, path);
    return known.found ??= this.#trie.match(method, path);
  }
}
