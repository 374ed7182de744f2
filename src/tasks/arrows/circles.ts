/**
 * Finds circles among files that import each other.
 *
 * @module
 */

/**
 * At least one circle of each group of files that reach each other, as the files on the way: `a, b` for `a → b → a`.
 * The first file is the one whose path sorts first.
 */
export function circlesIn(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles = new Map<string, string[]>();
  const finished = new Set<string>();
  const way: string[] = [];

  const follow = (file: string): void => {
    const start = way.indexOf(file);
    if (start >= 0) {
      const circle = fromFirst(way.slice(start));
      circles.set(circle.join("\n"), circle);
      return;
    }
    if (finished.has(file)) return;
    way.push(file);
    for (const next of imports.get(file) ?? []) follow(next);
    way.pop();
    finished.add(file);
  };

  for (const file of [...imports.keys()].sort()) follow(file);
  return [...circles.values()];
}

function fromFirst(circle: string[]): string[] {
  const first = circle.indexOf(circle.toSorted()[0]!);
  return [...circle.slice(first), ...circle.slice(0, first)];
}
