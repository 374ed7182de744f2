import { assertEquals, assertStringIncludes } from "@std/assert";
import { configTable } from "../../src/config/config_table.ts";
import { VARIABLES } from "../../src/config/variables.ts";

Deno.test("configTable() has a row of four cells for every variable", () => {
  const lines = configTable().split("\n");
  assertEquals(lines.length, 2 + Object.keys(VARIABLES).length);
  for (const line of lines) assertEquals(line.split("|").length, 6, line);
  for (const { name } of Object.values(VARIABLES)) assertStringIncludes(configTable(), `| \`${name}\` |`);
});

Deno.test("configTable() leaves nothing that a renderer takes for a tag", () => {
  assertEquals(/<[a-z]/.test(configTable().replace(/`[^`]*`/g, "")), false);
});
