import { assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import { PermanentError } from "../../../src/handlers/handler.ts";
import { renderTemplate } from "../../../src/handlers/email_send/render_template.ts";
import { loadTemplate, templateNames } from "../../../src/handlers/email_send/template_files.ts";
import { SHIPPED_TEMPLATES } from "./support.ts";

async function templateDir(files: Record<string, string>): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "daybook_templates_" });
  for (const [name, content] of Object.entries(files)) await Deno.writeTextFile(join(path, name), content);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

const renderText = (text: string, data: Parameters<typeof renderTemplate>[2]) =>
  renderTemplate({ name: "t", text }, "Subject", data).text;
const renderHtml = (html: string, data: Parameters<typeof renderTemplate>[2]) =>
  renderTemplate({ name: "t", html }, "Subject", data).html;

Deno.test("loadTemplate() takes a template from the first folder that has any part of it", async () => {
  await using own = await templateDir({ "system_alert.txt.mustache": "ours" });
  assertEquals(await loadTemplate("system_alert", [own.path, SHIPPED_TEMPLATES]), {
    name: "system_alert",
    text: "ours",
  });
});

Deno.test("loadTemplate() lists the known names when there is none of this name", async () => {
  await using own = await templateDir({
    "welcome.html.mustache": "",
    "welcome.txt.mustache": "",
    "notes.md": "",
  });
  const dirs = [own.path, "/nonexistent/templates", SHIPPED_TEMPLATES];
  assertEquals(await templateNames(dirs), ["system_alert", "welcome"]);
  await assertRejects(
    () => loadTemplate("welcom", dirs),
    PermanentError,
    "Unknown email template 'welcom': known are system_alert, welcome",
  );
  await assertRejects(() => loadTemplate("x", []), PermanentError, "there are none");
});

Deno.test("renderTemplate() escapes values in html and leaves them alone in text", () => {
  const data = { name: `<b>"Tom" & 'Jerry'</b>` };
  const html = renderHtml("{{name}}", data)!;
  assertMatch(html, /^&lt;b&gt;/);
  assertEquals(html.includes("<") || html.includes('"'), false);
  assertEquals(renderText("{{name}}", data), data.name);
});

Deno.test("renderTemplate() does not render what a value contains", () => {
  assertEquals(renderText("{{a}}", { a: "{{b}} {{{b}}}", b: "secret" }), "{{b}} {{{b}}}");
});

Deno.test("renderTemplate() names the variable that data lacks, and the template", () => {
  for (
    const [source, name] of [["Hi {{user.name}}", "user.name"], ["{{#items}}{{price}}{{/items}}", "price"]]
  ) {
    assertThrows(
      () => renderTemplate({ name: "welcome", text: source! }, "s", { user: {}, items: [{}] }),
      PermanentError,
      `Email template 'welcome.txt' needs the variable '${name}', which data does not have`,
    );
  }
});

Deno.test("renderTemplate() never prints what a value inherits", () => {
  for (const name of ["constructor", "toString", "__proto__", "user.constructor", "list.map"]) {
    assertThrows(
      () => renderText(`{{${name}}}`, { user: { name: "x" }, list: [1] }),
      PermanentError,
      `needs the variable '${name}'`,
    );
  }
});

Deno.test("renderTemplate() refuses to print an object or a list", () => {
  assertThrows(() => renderText("{{a}}", { a: {} }), PermanentError, "which is an object: use a section");
  assertThrows(() => renderText("{{a}}", { a: [1] }), PermanentError, "which is a list: use a section");
});

Deno.test("renderTemplate() takes an absent section for an optional part, and null for nothing", () => {
  assertEquals(renderText("a{{#more}}b{{/more}}{{^more}}c{{/more}}{{none}}", { none: null }), "ac");
  assertEquals(renderText("{{#list}}{{.}},{{/list}}", { list: [1, true, "x"] }), "1,true,x,");
  assertEquals(renderText("{{#list}}{{name}}{{/list}}", { name: "outer", list: [{}] }), "outer");
});

Deno.test("renderTemplate() offers the subject and all members of data as fields", () => {
  assertEquals(
    renderText("{{subject}}:{{#fields}} {{name}}={{value}}{{/fields}}", {
      disk: "sda",
      use: 0.91,
      more: { a: 1 },
    }),
    'Subject: disk=sda use=0.91 more={"a":1}',
  );
  assertEquals(renderText("{{subject}}", { subject: "mine" }), "mine");
});

Deno.test("renderTemplate() refuses the unescaped tags in html, in sections and under other delimiters too", () => {
  const sources = ["{{{a}}}", "{{&a}}", "{{#s}}{{{a}}}{{/s}}", "{{^s}}{{& a}}{{/s}}", "{{=<% %>=}}<%& a %>"];
  for (const source of sources) {
    assertThrows(() => renderHtml(source, { a: 1 }), PermanentError, "prints 'a' unescaped");
  }
  assertEquals(renderText("{{{a}}}", { a: "<" }), "<");
});

Deno.test("renderTemplate() refuses partials and what does not parse", () => {
  assertThrows(() => renderText("{{> other}}", {}), PermanentError, "partials are not available");
  assertThrows(() => renderText("{{#a}}", {}), PermanentError, "'t.txt' does not parse: Unclosed section");
});

Deno.test("the shipped template system_alert shows the subject and every field of any data, or none", async () => {
  const template = await loadTemplate("system_alert", [SHIPPED_TEMPLATES]);
  const { html, text } = renderTemplate(template, "Disk <nearly> full", { host: "db1", use: 91 });
  for (const part of [html!, text!]) {
    assertStringIncludes(part, "db1");
    assertStringIncludes(part, "91");
  }
  assertStringIncludes(html!, "Disk &lt;nearly&gt; full");
  assertStringIncludes(text!, "Disk <nearly> full\n");
  assertStringIncludes(renderTemplate(template, "Alone", {}).text!, "Alone");
});
