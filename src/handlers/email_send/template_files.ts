/**
 * Finds an email template by its name in the configured folders.
 *
 * A template is `<name>.html.mustache`, `<name>.txt.mustache` or both. Folders are searched in order and the first
 * that has either file gives the whole template, so an operator's own replaces a shipped one of the same name.
 *
 * @module
 */
import { join } from "node:path";
import { PermanentError } from "../handler.ts";

/** A template as its files hold it; at least one of the two parts is there. */
export interface TemplateSource {
  readonly name: string;
  readonly html?: string;
  readonly text?: string;
}

const HTML_SUFFIX = ".html.mustache";
const TEXT_SUFFIX = ".txt.mustache";

/**
 * The template called `name`, which must be a plain name without separators.
 *
 * @throws {PermanentError} When no folder has it; the message lists the names that there are.
 */
export async function loadTemplate(name: string, dirs: readonly string[]): Promise<TemplateSource> {
  for (const dir of dirs) {
    const [html, text] = await Promise.all([
      readIfPresent(join(dir, name + HTML_SUFFIX)),
      readIfPresent(join(dir, name + TEXT_SUFFIX)),
    ]);
    if (html === undefined && text === undefined) continue;
    return { name, ...(html !== undefined && { html }), ...(text !== undefined && { text }) };
  }
  const known = await templateNames(dirs);
  const choice = known.length === 0 ? "there are none" : `known are ${known.join(", ")}`;
  throw new PermanentError(`Unknown email template '${name}': ${choice}`);
}

/** The names of all templates in `dirs`, sorted, each once. Folders that do not exist are passed over. */
export async function templateNames(dirs: readonly string[]): Promise<string[]> {
  const names = new Set<string>();
  for (const dir of dirs) {
    try {
      for await (const entry of Deno.readDir(dir)) {
        for (const suffix of [HTML_SUFFIX, TEXT_SUFFIX]) {
          if (entry.name.endsWith(suffix)) names.add(entry.name.slice(0, -suffix.length));
        }
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return [...names].sort();
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
