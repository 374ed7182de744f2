import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { checkArrows } from "../../src/tasks/arrows.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A small project: paths and what is in them. */
type Tree = Record<string, string>;

async function inTree<T>(tree: Tree, test: (root: string) => Promise<T>): Promise<T> {
  const root = await Deno.makeTempDir({ prefix: "daybook_arrows_" });
  try {
    await Deno.mkdir(join(root, "src"));
    for (const [path, text] of Object.entries(tree)) {
      await Deno.mkdir(dirname(join(root, path)), { recursive: true });
      await Deno.writeTextFile(join(root, path), text);
    }
    return await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function faultsOf(tree: Tree): Promise<readonly string[]> {
  return inTree(tree, async (root) => (await checkArrows(root)).faults);
}

/** The only fault of a project in which one file imports another. */
async function faultOf(from: string, to: string, type = false): Promise<string | undefined> {
  const up = from.split("/").slice(1).map(() => "../").join("") || "./";
  const faults = await faultsOf({ [from]: `import ${type ? "type " : ""}{ thing } from "${up}${to}";` });
  assert(faults.length <= 1, faults.join("\n"));
  return faults[0];
}

const ALLOWED: [string, string][] = [
  ["src/events/a.ts", "src/events/b.ts"],
  ["src/actors/a.ts", "src/events/b.ts"],
  ["src/actors/job/a.ts", "src/actors/b.ts"],
  ["src/audit/a.ts", "src/actors/b.ts"],
  ["src/api/a.ts", "src/audit/b.ts"],
  ["src/wiring/a.ts", "src/handlers/b.ts"],
  ["src/tasks/a.ts", "src/api/b.ts"],
  ["src/tasks/a.ts", "src/wiring/b.ts"],
  ["src/handlers/mail.ts", "src/handlers/handler.ts"],
  ["src/handlers/mail.ts", "src/handlers/mail/smtp.ts"],
  ["src/handlers/mail/smtp.ts", "src/handlers/handler.ts"],
  ["src/handlers/mail/smtp.ts", "src/handlers/mail/text.ts"],
  ["main.ts", "src/wiring/a.ts"],
  ["src/config/config.ts", "templates/text.ts"],
];

const FORBIDDEN: [string, string, string][] = [
  ["src/events/a.ts", "src/actors/b.ts", "events may import nothing of ours"],
  ["src/events/a.ts", "src/handlers/handler.ts", "events may import nothing of ours"],
  ["src/actors/a.ts", "src/audit/b.ts", "actors may import events, types of the handlers' interface"],
  ["src/audit/a.ts", "src/api/b.ts", "audit may import events, actors, types of the handlers' interface"],
  [
    "src/api/a.ts",
    "src/handlers/mail.ts",
    "api may import events, actors, audit, types of the handlers' interface",
  ],
  ["src/cache/a.ts", "src/config/b.ts", "cache may import types of the handlers' interface"],
  ["src/logging/a.ts", "src/events/b.ts", "logging may import types of the handlers' interface"],
  ["src/config/a.ts", "src/cache/b.ts", "config may import types of the handlers' interface"],
  ["src/handlers/mail.ts", "src/cache/b.ts", "handlers may import types of the handlers' interface"],
  [
    "src/handlers/mail.ts",
    "src/handlers/other/text.ts",
    "a handler imports only its own folder and the handlers' interface, no other handler",
  ],
  [
    "src/handlers/mail/smtp.ts",
    "src/handlers/other.ts",
    "a handler imports only its own folder and the handlers' interface, no other handler",
  ],
  ["src/handlers/handler.ts", "src/handlers/mail.ts", "the handlers' interface imports nothing of ours"],
  ["src/wiring/a.ts", "src/tasks/b.ts", "wiring may import"],
  ["src/api/a.ts", "src/wiring/b.ts", "api may import"],
  ["src/tasks/a.ts", "main.ts", "nothing imports main.ts"],
  ["src/api/a.ts", "tests/support/b.ts", "nothing imports tests or bench"],
  ["main.ts", "bench/b.ts", "nothing imports tests or bench"],
  ["src/lone.ts", "src/events/b.ts", "a file of src belongs into one of its rooms"],
  ["src/attic/a.ts", "src/attic/b.ts", "src/attic is no room that src/tasks/arrows/rooms.ts knows"],
];

Deno.test("checkArrows() lets imports along the arrows pass", async () => {
  for (const [from, to] of ALLOWED) assertEquals(await faultOf(from, to), undefined, `${from} → ${to}`);
});

Deno.test("checkArrows() names both files and the rule where an import goes against the arrows", async () => {
  for (const [from, to, rule] of FORBIDDEN) {
    assertStringIncludes(await faultOf(from, to) ?? "", `${from} → ${to}: ${rule}`);
  }
});

Deno.test("checkArrows() wants an arrow for type imports too", async () => {
  assertStringIncludes(await faultOf("src/events/a.ts", "src/actors/b.ts", true) ?? "", "nothing of ours");
});

Deno.test("checkArrows() lets every room but events take types of the handlers' interface, and only types", async () => {
  for (const room of ["actors", "audit", "api", "cache", "logging", "config"]) {
    const from = `src/${room}/a.ts`;
    assertEquals(await faultOf(from, "src/handlers/handler.ts", true), undefined);
    assertEquals(
      await faultOf(from, "src/handlers/handler.ts"),
      `${from} → src/handlers/handler.ts: ${room} may take only types of the handlers' interface (import type)`,
    );
  }
});

const FORMS = {
  "an import for its effects": `import "../actors/b.ts";`,
  "an inline type import": `import { type B } from "../actors/b.ts";`,
  "a namespace import": `import * as b from '../actors/b.ts';`,
  "a re-export": `export { b } from "../actors/b.ts";`,
  "a re-export of everything": `export * from "../actors/b.ts";`,
  "a type re-export": `export type { B } from "../actors/b.ts";`,
  "a dynamic import": `export async function f<T>(this: T) { return await import("../actors/b.ts"); }`,
  "an import within a type": `export type B = import("../actors/b.ts").B;`,
  "a text import": `import b from "../actors/b.ts" with { type: "text" };`,
  "a Worker": `new Worker(new URL("../actors/b.ts", import.meta.url), { type: "module" });`,
};

for (const [form, text] of Object.entries(FORMS)) {
  Deno.test(`checkArrows() sees ${form}`, async () => {
    assertEquals(await faultsOf({ "src/events/a.ts": text }), [
      "src/events/a.ts → src/actors/b.ts: events may import nothing of ours",
    ]);
  });
}

Deno.test("checkArrows() passes over comments, strings, libraries and what only looks like an import", async () => {
  const text = [
    `// import "../actors/b.ts";`,
    `/** @example import { b } from "../actors/b.ts"; */`,
    "export const texts = [\"import '../actors/b.ts'\", `export * from '../actors/b.ts'`, /import \"..\\/actors\\/b.ts\"/];",
    `import { Hono } from "hono"; import fs from "node:fs"; import type { Y } from "npm:y@1/y.js";`,
    `export const chosen = (name: string) => import(name);`,
    `export const page = new URL("../actors/b.ts", "http://localhost");`,
  ].join("\n");
  assertEquals(await faultsOf({ "src/events/a.ts": text }), []);
});

Deno.test("checkArrows() understands JSX", async () => {
  const tree = {
    "src/api/page.tsx": `import { a } from "../handlers/mail.ts"; export const page = <p>{a}</p>;`,
  };
  assertEquals((await faultsOf(tree)).length, 1);
});

Deno.test("checkArrows() names each circle once, with the files on the way, whatever is imported", async () => {
  const tree = {
    "src/events/a.ts": `import { b } from "./b.ts";`,
    "src/events/b.ts": `import type { C } from "./c.ts"; import "./leaf.ts";`,
    "src/events/c.ts": `export * from "./a.ts"; import "./leaf.ts";`,
    "src/events/leaf.ts": ``,
    "src/events/d.ts": `import "./a.ts"; import "./d.ts";`,
  };
  assertEquals(await faultsOf(tree), [
    "src/events/a.ts → src/events/b.ts → src/events/c.ts → src/events/a.ts: a circle of imports",
    "src/events/d.ts → src/events/d.ts: a circle of imports",
  ]);
});

Deno.test("checkArrows() has nothing against files that are reached by two ways", async () => {
  const tree = {
    "src/events/a.ts": `import "./b.ts"; import "./c.ts";`,
    "src/events/b.ts": `import "./d.ts";`,
    "src/events/c.ts": `import "./d.ts";`,
    "src/events/d.ts": ``,
  };
  assertEquals(await faultsOf(tree), []);
});

Deno.test("checkArrows() sees no circle in a Worker that takes types from its starter", async () => {
  const tree = {
    "src/actors/start.ts": `new Worker(new URL("./work.ts", import.meta.url), { type: "module" });`,
    "src/actors/work.ts": `import type { Order } from "./start.ts";`,
  };
  assertEquals(await faultsOf(tree), []);
});

Deno.test("checkArrows() names a file that does not parse", async () => {
  const error = await assertRejects(() => faultsOf({ "src/events/a.ts": "import {" }), SyntaxError);
  assertStringIncludes(error.message, "src/events/a.ts: ");
});

Deno.test("the arrows task fails with 1 and names the fault, with no more permissions than it has", () =>
  inTree({ "src/events/a.ts": `import "../actors/b.ts";` }, async (root) => {
    const script = join(ROOT, "src/tasks/arrows.ts");
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", `--allow-read=.`, script],
      cwd: root,
    }).output();
    assertEquals(
      new TextDecoder().decode(stderr),
      "src/events/a.ts → src/actors/b.ts: events may import nothing of ours\n",
    );
    assertEquals(
      new TextDecoder().decode(stdout),
      "1 files, 1 imports between them, 1 against the arrows or in a circle\n",
    );
    assertEquals(code, 1);
  }));

Deno.test("Daybook's own files follow the arrows", async () => {
  const { files, faults } = await checkArrows(ROOT);
  assertEquals(faults, []);
  assert(files > 50);
});
