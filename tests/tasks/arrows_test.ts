import { assertEquals, assertStringIncludes } from "@std/assert";
import { againstTheArrows } from "../../src/tasks/arrows.ts";
import { importGraph } from "../../src/tasks/import_graph.ts";

const graph = (imports: Record<string, string[]>) => new Map(Object.entries(imports));

Deno.test("againstTheArrows() finds nothing where every room imports downwards", () => {
  const faults = againstTheArrows(graph({
    "main.ts": ["src/api/app.ts", "src/handlers/cleanup.ts"],
    "src/api/app.ts": ["src/actors/jobs.ts"],
    "src/actors/jobs.ts": ["src/events/event.ts", "src/handlers/handler.ts"],
    "src/handlers/cleanup.ts": ["src/handlers/cleanup/files.ts", "src/handlers/handler.ts"],
  }));
  assertEquals(faults, []);
});

Deno.test("againstTheArrows() names both files of an import that goes up", () => {
  const [fault] = againstTheArrows(graph({ "src/events/event.ts": ["src/actors/jobs.ts"] }));
  assertStringIncludes(fault!, "src/events/event.ts imports src/actors/jobs.ts");
});

Deno.test("againstTheArrows() lets no handler import another", () => {
  const faults = againstTheArrows(graph({ "src/handlers/a.ts": ["src/handlers/b/files.ts"] }));
  assertEquals(faults, ["src/handlers/a.ts imports src/handlers/b/files.ts: handlers stand alone"]);
});

Deno.test("againstTheArrows() keeps the API from the handlers", () => {
  assertEquals(againstTheArrows(graph({ "src/api/app.ts": ["src/handlers/cleanup.ts"] })).length, 1);
});

Deno.test("againstTheArrows() shows a circle of imports", () => {
  const faults = againstTheArrows(graph({
    "src/events/a.ts": ["src/events/b.ts"],
    "src/events/b.ts": ["src/events/a.ts"],
  }));
  assertEquals(faults, ["a circle of imports: src/events/a.ts → src/events/b.ts → src/events/a.ts"]);
});

Deno.test("this project's own imports go along the arrows", () => {
  assertEquals(againstTheArrows(importGraph(Deno.cwd())), []);
});
