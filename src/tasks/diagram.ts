/**
 * `deno task diagram`: the machine's diagram in the README, between its two markers.
 *
 * @module
 */
import { mermaidDiagram } from "../actors/job/diagram.ts";
import { JOB_MACHINES, MACHINE_VERSION } from "../actors/job/machine.ts";

const BEGIN = "<!-- diagram:begin -->";
const END = "<!-- diagram:end -->";

/** @throws {Error} If the document lacks a marker. */
export function withDiagram(document: string, diagram: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`the document lacks the markers ${BEGIN} and ${END}`);
  const block = `${BEGIN}\n\n\`\`\`mermaid\n${diagram}\n\`\`\`\n\n`;
  return document.slice(0, begin) + block + document.slice(end);
}

if (import.meta.main) {
  const readme = await Deno.readTextFile("README.md");
  const wanted = withDiagram(readme, mermaidDiagram(JOB_MACHINES.get(MACHINE_VERSION)!));
  if (!Deno.args.includes("--check")) await Deno.writeTextFile("README.md", wanted);
  else if (wanted !== readme) {
    console.error("The diagram in README.md is not that of the machine; run deno task diagram");
    Deno.exit(1);
  }
}
