/**
 * Which file of the project imports which.
 *
 * @module
 */
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";

/** By file, relative to the root with `/`: the project's own files that it imports, types included. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** Reads `main.ts` and every `.ts` file below `src`. */
export function importGraph(root: string): ImportGraph {
  const graph = new Map<string, readonly string[]>();
  for (const path of [join(root, "main.ts"), ...sources(join(root, "src"))]) {
    graph.set(name(root, path), importsOf(root, path));
  }
  return graph;
}

/** A circle of imports as the list of its files, the first one repeated at the end; `undefined` when there is none. */
export function findCircle(graph: ImportGraph): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    const at = path.indexOf(file);
    if (at !== -1) return [...path.slice(at), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const imported of graph.get(file) ?? []) {
      const circle = visit(imported);
      if (circle) return circle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const circle = visit(file);
    if (circle) return circle;
  }
  return undefined;
}

function importsOf(root: string, path: string): string[] {
  const { importedFiles } = ts.preProcessFile(Deno.readTextFileSync(path), true, true);
  return importedFiles.map(({ fileName }) => fileName).filter((specifier) => specifier.startsWith("."))
    .map((specifier) => name(root, resolve(dirname(path), specifier)));
}

function sources(folder: string): string[] {
  return [...Deno.readDirSync(folder)].sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory) return sources(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

function name(root: string, path: string): string {
  return relative(root, path).replaceAll("\\", "/");
}
