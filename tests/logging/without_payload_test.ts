import { assertEquals } from "@std/assert";
import { withoutPayload } from "../../src/logging/without_payload.ts";

const MAIL = {
  to: "Ada@example.com",
  subject: "Hi",
  text: "Your new password is correct horse battery staple.",
  data: { account: 4711, nested: ["BLUE-42"] },
};

Deno.test("withoutPayload() leaves out each value of the payload, at any depth and in any case", () => {
  assertEquals(
    withoutPayload("SmtpError: 550 <ada@example.com> unknown, account 4711, blue-42", MAIL),
    "SmtpError: 550 <…> unknown, account …, …",
  );
});

Deno.test("withoutPayload() finds a value beside letters whose lower case is longer", () => {
  assertEquals(withoutPayload("Error: 550 <ADA@Example.com> refused İ", MAIL), "Error: 550 <…> refused İ");
});

Deno.test("withoutPayload() leaves out parts of a longer value", () => {
  assertEquals(
    withoutPayload("SmtpError: 554 rejected: CORRECT HORSE battery", MAIL),
    "SmtpError: 554 rejected:…",
  );
});

Deno.test("withoutPayload() leaves a message alone that quotes nothing, and short words", () => {
  const error = "TypeError: required field 'to' missing from payload. Hi!";
  assertEquals(withoutPayload(error, MAIL), error);
  assertEquals(withoutPayload("", MAIL), "");
  assertEquals(withoutPayload("Error: x", {}), "Error: x");
});

Deno.test("withoutPayload() leaves only the name when the payload is not at hand", () => {
  assertEquals(withoutPayload("SmtpError: 550 <ada@example.com> unknown", undefined), "SmtpError: …");
  assertEquals(withoutPayload("ada@example.com: no", undefined), "Error: …");
  assertEquals(withoutPayload("", undefined), "Error: …");
});
