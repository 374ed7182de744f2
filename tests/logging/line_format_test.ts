import { assertEquals, assertMatch } from "@std/assert";
import { jsonLine, type Line, textLine } from "../../src/logging/line_format.ts";

const line: Line = {
  time: new Date("2026-01-07T10:15:32.123Z"),
  logger: "background_worker",
  level: "INFO",
  message: "🚀 Background Worker Starting (concurrency 10, pid 1)",
  fields: { job_id: "7", attempt: 1 },
};

Deno.test("textLine() writes UTC time, logger, level and message", () => {
  assertEquals(
    textLine(line),
    "2026-01-07 10:15:32 - background_worker - INFO - 🚀 Background Worker Starting (concurrency 10, pid 1)",
  );
});

Deno.test("jsonLine() writes the same with milliseconds, and the fields", () => {
  assertEquals(JSON.parse(jsonLine(line)), {
    time: "2026-01-07T10:15:32.123Z",
    logger: "background_worker",
    level: "INFO",
    message: "🚀 Background Worker Starting (concurrency 10, pid 1)",
    job_id: "7",
    attempt: 1,
  });
});

Deno.test("one record is one line, whatever the message holds", () => {
  const message = "a\n2026-01-07 10:15:32 - main - INFO - forged\r\t\x1b[2J\u0085\u2028\u202eb";
  const text = textLine({ ...line, message });
  assertEquals(
    text.slice("2026-01-07 10:15:32 - background_worker - INFO - ".length),
    "a\\n2026-01-07 10:15:32 - main - INFO - forged\\r\\t\\u001b[2J\\u0085\\u2028\\u202eb",
  );
  const json = jsonLine({ ...line, message, fields: { note: message } });
  assertMatch(json, /^[^\n\r\u0085\u2028\u202e]*$/);
  assertEquals(JSON.parse(json).message, message);
  assertEquals(JSON.parse(json).note, message);
});

Deno.test("a field cannot pass itself off as a part of the record", () => {
  const parsed = JSON.parse(jsonLine({ ...line, fields: { level: "ERROR", message: "forged" } }));
  assertEquals([parsed.level, parsed.message.slice(0, 2)], ["INFO", "🚀"]);
  assertEquals([parsed.level_, parsed.message_], ["ERROR", "forged"]);
});

Deno.test("secrets are redacted in messages and in fields at any depth", () => {
  const message = "Cannot reach smtp://u:p@mail.test with Bearer abc";
  assertEquals(
    textLine({ ...line, message }).endsWith("Cannot reach smtp://***@mail.test with Bearer ***"),
    true,
  );
  const fields = {
    request: { authorization: "abc", url: "http://u:p@h/" },
    error: new Error("at http://u:p@h/"),
  };
  const parsed = JSON.parse(jsonLine({ ...line, message, fields }));
  assertEquals(parsed.message, "Cannot reach smtp://***@mail.test with Bearer ***");
  assertEquals(parsed.request, { authorization: "***", url: "http://***@h/" });
  assertEquals(parsed.error, "Error: at http://***@h/");
});

Deno.test("a field that JSON cannot carry never stops the line", () => {
  const round: Record<string, unknown> = {};
  round.self = round;
  assertEquals(JSON.parse(jsonLine({ ...line, fields: { round } })).fields_error, "not JSON");
  assertEquals(JSON.parse(jsonLine({ ...line, fields: { big: 10n } })).big, "10");
});
