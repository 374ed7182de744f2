/**
 * The variables as a table for people.
 *
 * @module
 */
import { VARIABLES } from "./variables.ts";

/** A Markdown table of every variable, its default, its meaning and what it may be. */
export function configTable(): string {
  const rows = Object.values(VARIABLES).map((variable) => {
    const byDefault = variable.default === undefined ? variable.unsetMeans : `\`${variable.default}\``;
    return [`\`${variable.name}\``, byDefault, variable.meaning, angled(variable.mayBe)];
  });
  const lines = [["variable", "default", "meaning", "may be"], ["---", "---", "---", "---"], ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Outside of code a renderer would take `<path>` for a tag. */
function angled(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
