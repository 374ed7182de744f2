/**
 * `deno task diagram`: the machine's diagram in the README, between its two markers.
 *
 * @module
 */
import { mermaidDiagram } from "../actors/job/diagram.ts";
import { JOB_MACHINES, MACHINE_VERSION } from "../actors/job/machine.ts";

const BEGIN = "<!-- diagram:begin -->";
const END = "<!-- diagram:end -->";

const USAGE = `Usage: deno task diagram [--check] [--help]

Draws the job's machine as Mermaid into README.md, between ${BEGIN} and ${END}.

  --check  write nothing, and fail when README.md shows another machine
  --help   this text`;

/** What the task says, and the process's exit code: 0, 1 when it failed, 2 for wrong arguments. */
export interface TaskResult {
  readonly exitCode: 0 | 1 | 2;
  readonly message: string;
}

/** @throws {Error} If the document lacks a marker. */
export function withDiagram(document: string, diagram: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`the document lacks the markers ${BEGIN} and ${END}`);
  const block = `${BEGIN}\n\n\`\`\`mermaid\n${diagram}\n\`\`\`\n\n`;
  return document.slice(0, begin) + block + document.slice(end);
}

/** @param path The document that has the markers. */
export async function diagramTask(args: readonly string[], path: string): Promise<TaskResult> {
  if (args.includes("--help")) return { exitCode: 0, message: USAGE };
  const unknown = args.find((arg) => arg !== "--check");
  if (unknown !== undefined) return { exitCode: 2, message: `Unknown argument '${unknown}'\n\n${USAGE}` };
  const check = args.includes("--check");
  try {
    const document = await Deno.readTextFile(path);
    const wanted = withDiagram(document, mermaidDiagram(JOB_MACHINES.get(MACHINE_VERSION)!));
    if (wanted === document) return { exitCode: 0, message: `The diagram in ${path} is that of the machine` };
    if (check) {
      const message = `The diagram in ${path} is not that of the machine; run deno task diagram`;
      return { exitCode: 1, message };
    }
    await Deno.writeTextFile(path, wanted);
    return { exitCode: 0, message: `Wrote the diagram of the machine into ${path}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { exitCode: 1, message: `Cannot ${check ? "check" : "write"} the diagram in ${path}: ${why}` };
  }
}

if (import.meta.main) {
  const { exitCode, message } = await diagramTask(Deno.args, "README.md");
  console[exitCode === 0 ? "log" : "error"](message);
  Deno.exit(exitCode);
}
