import { assert, assertStringIncludes, assertThrows } from "@std/assert";
import { mermaidDiagram } from "../../src/actors/job/diagram.ts";
import { JOB_MACHINES } from "../../src/actors/job/machine.ts";
import { withDiagram } from "../../src/tasks/diagram.ts";

const diagram = mermaidDiagram(JOB_MACHINES.get(1)!);

Deno.test("mermaidDiagram() begins where a job is created", () => {
  assertStringIncludes(diagram, "[*] --> ready: created");
});

Deno.test("mermaidDiagram() draws that a cancelled job can be retried", () => {
  assertStringIncludes(diagram, "cancelled --> ready: retried");
});

Deno.test("mermaidDiagram() draws no event that changes nothing", () => {
  assert(!diagram.includes("late_result_refused"));
});

Deno.test("withDiagram() replaces what stands between the markers and nothing else", () => {
  const document = "a\n<!-- diagram:begin -->old<!-- diagram:end -->\nb\n";
  const replaced = withDiagram(document, "new");
  assert(replaced.startsWith("a\n") && replaced.endsWith("<!-- diagram:end -->\nb\n"));
  assert(replaced.includes("new") && !replaced.includes("old"));
});

Deno.test("withDiagram() says which markers a document lacks", () => {
  assertThrows(() => withDiagram("nothing", "new"), Error, "<!-- diagram:begin -->");
});
