/**
 * An option that names a folder, which must be there.
 *
 * @module
 */
import { InvalidArgumentError, Option } from "commander";

/** `--dir`, where a bench puts its files; they decide whose disk is measured. */
export function folderOption(description: string): Option {
  return new Option("--dir <folder>", `${description}; decides whose disk is measured`).argParser(aFolder);
}

function aFolder(path: string): string {
  try {
    if (Deno.statSync(path).isDirectory) return path;
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
  throw new InvalidArgumentError("It is not a folder.");
}
