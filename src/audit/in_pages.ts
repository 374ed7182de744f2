/**
 * Some items at a time.
 *
 * @module
 */

/** Takes `size` items together; the last page has what is left. */
export function* inPages<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let page: T[] = [];
  for (const item of items) {
    page.push(item);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
