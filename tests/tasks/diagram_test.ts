import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import { mermaidDiagram } from "../../src/actors/job/diagram.ts";
import { JOB_MACHINES } from "../../src/actors/job/machine.ts";
import { type JobPhase, nextPhase } from "../../src/actors/job/transition_table.ts";
import { diagramTask, withDiagram } from "../../src/tasks/diagram.ts";
import { HISTORIES } from "../actors/support/facts.ts";

const diagram = mermaidDiagram(JOB_MACHINES.get(1)!);
const DOCUMENT = "# Title\n\n<!-- diagram:begin -->\nold\n<!-- diagram:end -->\n\nThe rest.\n";

/** The document after the task, and what the task said; the document is not there at first when it is `null`. */
async function runOn(document: string | null, ...args: string[]) {
  const dir = await Deno.makeTempDir();
  try {
    const path = join(dir, "README.md");
    if (document !== null) await Deno.writeTextFile(path, document);
    const result = await diagramTask(args, path);
    return { ...result, after: document === null ? null : await Deno.readTextFile(path) };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("mermaidDiagram() begins where a job is created", () => {
  assertStringIncludes(diagram, "stateDiagram-v2\n");
  assertStringIncludes(diagram, "[*] --> ready: created");
  assertStringIncludes(diagram, "[*] --> scheduled: created");
});

Deno.test("mermaidDiagram() nests the finer states in queued and processing", () => {
  assertMatch(diagram, /state queued \{\n\s+ready\n\s+scheduled\n\s+retrying\n\s+\}/);
  assertMatch(diagram, /state processing \{\n\s+running\n\s+cancelling\n\s+\}/);
});

Deno.test("mermaidDiagram() draws that a cancelled job can be retried", () => {
  assertStringIncludes(diagram, "cancelled --> ready: retried");
});

Deno.test("mermaidDiagram() draws no event that changes nothing", () => {
  assert(!diagram.includes("late_result_refused"));
  assert(!diagram.includes("progressed"));
});

Deno.test("mermaidDiagram() draws every lawful step that changes a job's state", () => {
  const leaf = (phase: string) => phase.split(".").at(-1)!;
  for (const history of Object.values(HISTORIES)) {
    let phase: JobPhase = "absent";
    for (const event of history) {
      const next: JobPhase = nextPhase(1, phase, event)!;
      const from = phase === "absent" ? "\\[\\*\\]" : `(${leaf(phase)}|${phase.split(".")[0]})`;
      const label = `(.*, )?${event.type.slice("job.".length)}(,.*)?`;
      assertMatch(diagram, new RegExp(`^ *${from} --> ${leaf(next)}: ${label}$`, "m"));
      phase = next;
    }
  }
});

Deno.test("withDiagram() replaces what stands between the markers and nothing else", () => {
  const replaced = withDiagram(DOCUMENT, "new");
  assert(replaced.startsWith("# Title\n\n<!-- diagram:begin -->"));
  assert(replaced.endsWith("<!-- diagram:end -->\n\nThe rest.\n"));
  assert(replaced.includes("new") && !replaced.includes("old"));
});

Deno.test("withDiagram() says which markers a document lacks", () => {
  for (
    const document of ["nothing", "<!-- diagram:begin -->", "<!-- diagram:end --><!-- diagram:begin -->"]
  ) {
    assertThrows(() => withDiagram(document, "new"), Error, "lacks the markers <!-- diagram:begin -->");
  }
});

Deno.test("deno task diagram writes the diagram into the document, and finds nothing to do the second time", async () => {
  const { exitCode, after } = await runOn(DOCUMENT);
  assertEquals(exitCode, 0);
  assertStringIncludes(after!, `\`\`\`mermaid\n${diagram}\n\`\`\``);
  const again = await runOn(after!);
  assertEquals([again.exitCode, again.after], [0, after]);
});

Deno.test("deno task diagram --check writes nothing, and fails when the document shows another machine", async () => {
  const stale = await runOn(DOCUMENT, "--check");
  assertEquals([stale.exitCode, stale.after], [1, DOCUMENT]);
  assertMatch(stale.message, /is not that of the machine; run deno task diagram$/);
  const { after } = await runOn(DOCUMENT);
  assertEquals((await runOn(after!, "--check")).exitCode, 0);
});

Deno.test("deno task diagram says what is wrong when it cannot do its work", async () => {
  const missing = await runOn(null);
  assertEquals(missing.exitCode, 1);
  assertMatch(missing.message, /^Cannot write the diagram in .*README\.md: /);
  const bare = await runOn("no markers", "--check");
  assertEquals(bare.exitCode, 1);
  assertMatch(bare.message, /^Cannot check the diagram in .*: the document lacks the markers/);
});

Deno.test("deno task diagram explains itself, and refuses arguments that it does not know", async () => {
  const help = await runOn(DOCUMENT, "--help");
  assertEquals([help.exitCode, help.after], [0, DOCUMENT]);
  assertMatch(help.message, /^Usage: deno task diagram/);
  const wrong = await runOn(DOCUMENT, "--chekc");
  assertEquals([wrong.exitCode, wrong.after], [2, DOCUMENT]);
  assertMatch(wrong.message, /^Unknown argument '--chekc'/);
});

Deno.test("the README shows the machine as it is", async () => {
  const readme = join(import.meta.dirname!, "../../README.md");
  assertEquals((await diagramTask(["--check"], readme)).exitCode, 0);
});
