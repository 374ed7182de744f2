/**
 * `deno task arrows`: fails on an import against the rooms' arrows, or in a circle.
 *
 * The rooms and their arrows are in `arrows/rooms.ts`; a type import needs an arrow like any other. Circles are those
 * between files, whatever is imported: of types too.
 *
 * @module
 */
import { join, posix, relative } from "node:path";
import { circlesIn } from "./arrows/circles.ts";
import { importsOf } from "./arrows/imports.ts";
import { objectionTo } from "./arrows/rooms.ts";

/** What was looked at and what is wrong with it. */
export interface ArrowsReport {
  readonly files: number;
  readonly imports: number;
  /** One line each: `from → to: rule`. */
  readonly faults: readonly string[];
}

/**
 * Looks at `main.ts` and everything in `src`.
 *
 * @param root The project's folder.
 * @throws {SyntaxError} If a file does not parse; names the file.
 */
export async function checkArrows(root: string): Promise<ArrowsReport> {
  const files = (await Array.fromAsync(sourceFiles(root))).sort();
  const faults: string[] = [];
  const graph = new Map<string, string[]>();
  let imports = 0;
  for (const file of files) {
    const targets = new Set<string>();
    for (const { specifier, typeOnly, form } of await importsIn(root, file)) {
      if (!/^\.{0,2}\//.test(specifier)) continue;
      imports++;
      const target = posix.join(posix.dirname(file), specifier);
      const objection = objectionTo(file, target, typeOnly);
      if (objection) faults.push(`${file} → ${target}: ${objection}`);
      if (form === "import") targets.add(target);
    }
    graph.set(file, [...targets]);
  }
  for (const circle of circlesIn(graph)) {
    faults.push(`${[...circle, circle[0]].join(" → ")}: a circle of imports`);
  }
  return { files: files.length, imports, faults };
}

async function* sourceFiles(root: string): AsyncGenerator<string> {
  if (await isFile(join(root, "main.ts"))) yield "main.ts";
  yield* typeScriptIn(root, join(root, "src"));
}

async function* typeScriptIn(root: string, dir: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(dir)) {
    const path = join(dir, entry.name);
    if (entry.isDirectory) yield* typeScriptIn(root, path);
    else if (/\.(ts|tsx|js|jsx)$/.test(entry.name)) yield relative(root, path).replaceAll("\\", "/");
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function importsIn(root: string, file: string) {
  try {
    return importsOf(await Deno.readTextFile(join(root, file)), file);
  } catch (error) {
    if (error instanceof SyntaxError) throw new SyntaxError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

if (import.meta.main) {
  if (Deno.args.length > 0) {
    const help = Deno.args[0] === "--help";
    console[help ? "log" : "error"](
      "Usage: deno task arrows\n\nFails on an import against the arrows or in a circle.",
    );
    Deno.exit(help ? 0 : 2);
  }
  const { files, imports, faults } = await checkArrows(".");
  for (const fault of faults) console.error(fault);
  console.log(
    `${files} files, ${imports} imports between them, ${faults.length} against the arrows or in a circle`,
  );
  if (faults.length > 0) Deno.exit(1);
}
