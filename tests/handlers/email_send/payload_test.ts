import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { emailPayload, parseEmailPayload } from "../../../src/handlers/email_send/payload.ts";

const VALID = { to: "ops@example.com", subject: "Disk nearly full", text: "91 %" };

function issueOf(payload: unknown): { path: string; message: string } {
  const parsed = emailPayload.safeParse(payload);
  assert(!parsed.success, "the payload was taken");
  const issue = parsed.error.issues[0]!;
  return { path: "/" + issue.path.join("/"), message: issue.message };
}

Deno.test("emailPayload takes one address or a list of up to 50", () => {
  for (const to of ["a@example.com", ["a@example.com"], Array(50).fill("a@example.com")]) {
    assert(emailPayload.safeParse({ ...VALID, to }).success);
  }
});

Deno.test("emailPayload names a missing required field", () => {
  assertEquals(issueOf({}), { path: "/to", message: "required field 'to' missing from payload" });
  const { subject: _, ...withoutSubject } = VALID;
  assertEquals(issueOf(withoutSubject), {
    path: "/subject",
    message: "required field 'subject' missing from payload",
  });
});

Deno.test("parseEmailPayload() throws a TypeError that names a missing required field", () => {
  assertThrows(
    () => parseEmailPayload({ subject: "x", text: "y" }),
    TypeError,
    "required field 'to' missing from payload",
  );
});

Deno.test("emailPayload refuses every address that is not exactly one plain address", () => {
  const refused = [
    "",
    "nobody",
    "a@localhost",
    "a@example.com\r\nRCPT TO:<b@example.com>",
    "a@example.com\r\nBcc: b@example.com",
    "a@example.com\n",
    "a@example.com\r",
    "a@example.com, b@example.com",
    "a@example.com b@example.com",
    "a@example.com;b@example.com",
    "<a@example.com>",
    "Name <a@example.com>",
    '"a\r\nb"@example.com',
    "a@example.com\0",
    "a\u2028@example.com",
    `${"a".repeat(250)}@example.com`,
  ];
  for (const to of refused) {
    assertEquals(issueOf({ ...VALID, to }).path, "/to", JSON.stringify(to));
    assertEquals(issueOf({ ...VALID, to: ["a@example.com", to] }).path, "/to/1", JSON.stringify(to));
  }
});

Deno.test("emailPayload refuses an empty list, more than 50 addresses and what is no address at all", () => {
  for (const to of [[], Array(51).fill("a@example.com")]) {
    assertEquals(issueOf({ ...VALID, to }).path, "/to");
  }
  for (const to of [5, null, {}, true]) {
    assertEquals(issueOf({ ...VALID, to }), {
      path: "/to",
      message: "to must be an email address or a list of 1 to 50 of them",
    });
  }
});

Deno.test("emailPayload refuses a subject that is empty, over 998 characters or more than a line", () => {
  for (const subject of ["", "x".repeat(999), "a\r\nBcc: b@example.com", "a\nb", "a\rb", "a\n"]) {
    assertEquals(issueOf({ ...VALID, subject }).path, "/subject");
  }
  assert(emailPayload.safeParse({ ...VALID, subject: "x".repeat(998) }).success);
});

Deno.test("emailPayload asks for a template, a text or an html", () => {
  assertEquals(issueOf({ to: VALID.to, subject: "x", data: {} }), {
    path: "/template",
    message: "one of 'template', 'text' and 'html' must be in payload",
  });
});

Deno.test("emailPayload refuses a template name that could leave its folder", () => {
  for (const template of ["../secret", "a/b", "a\\b", "", ".", "a.b", "x".repeat(65), "a\0"]) {
    assertEquals(issueOf({ ...VALID, template }).path, "/template");
  }
});

Deno.test("emailPayload refuses data that is no JSON object, and unknown fields by name", () => {
  for (const data of [[], "x", null]) assertEquals(issueOf({ ...VALID, data }).path, "/data");
  const { message } = issueOf({ ...VALID, bcc: "b@example.com" });
  assertStringIncludes(message, "bcc");
});
