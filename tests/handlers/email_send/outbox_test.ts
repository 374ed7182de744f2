import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { simpleParser } from "mailparser";
import { emailSend } from "../../../src/handlers/email_send.ts";
import { attemptContext, NOW } from "./support.ts";

const KEY = "0190e7a4-0000-7000-8000-000000000001";
const VALID = { to: "ops@example.com", subject: "Disk nearly full", text: "91 %" };

async function outbox(): Promise<AsyncDisposable & { dir: string; files(): Promise<string[]> }> {
  const root = await Deno.makeTempDir({ prefix: "daybook_outbox_" });
  const dir = join(root, "not", "there", "yet");
  return {
    dir,
    files: async () => (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name).sort(),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

Deno.test("emailSend writes the message as a file when no SMTP server is set", async () => {
  await using box = await outbox();
  const result = await emailSend.run(
    { ...VALID, to: ["a@example.com", "b@example.com"], subject: "Grüße 🚀", html: "<p>91 %</p>" },
    attemptContext({ mail: { outboxDir: box.dir } }),
  );
  assertEquals(result, {
    status: "sent",
    to: ["a@example.com", "b@example.com"],
    subject: "Grüße 🚀",
    message_id: `<${KEY}@sender.example>`,
    timestamp: NOW.toISOString(),
    transport: "outbox",
  });
  assertEquals(await box.files(), [`${KEY}.eml`]);
  const raw = await Deno.readTextFile(join(box.dir, `${KEY}.eml`));
  assertEquals(/[^\r]\n/.test(raw), false, "every line ends with CRLF");
  const mail = await simpleParser(raw);
  assertEquals(mail.subject, "Grüße 🚀");
  assertEquals(mail.text?.trim(), "91 %");
  assertEquals(mail.html, "<p>91 %</p>");
  assertEquals(mail.date, new Date(Math.floor(NOW.getTime() / 1000) * 1000));
  assertEquals([mail.to].flat().map((to) => to?.text), ["a@example.com, b@example.com"]);
});

Deno.test("emailSend keeps the outbox to its owner", { ignore: Deno.build.os === "windows" }, async () => {
  await using box = await outbox();
  await emailSend.run(VALID, attemptContext({ mail: { outboxDir: box.dir } }));
  const { mode } = await Deno.stat(join(box.dir, `${KEY}.eml`));
  assertEquals(mode! & 0o777, 0o600);
});

Deno.test("emailSend leaves one file for a job however often it runs", async () => {
  await using box = await outbox();
  for (const attempt of [1, 2, 3]) {
    await emailSend.run(
      { ...VALID, text: `run ${attempt}` },
      attemptContext({ attempt, mail: { outboxDir: box.dir } }),
    );
  }
  assertEquals(await box.files(), [`${KEY}.eml`]);
  assertStringIncludes(await Deno.readTextFile(join(box.dir, `${KEY}.eml`)), "run 3");
});

Deno.test("emailSend stays inside the outbox whatever the job's key is", async () => {
  await using box = await outbox();
  await emailSend.run(
    VALID,
    attemptContext({ idempotencyKey: "../../escape", mail: { outboxDir: box.dir } }),
  );
  const [file, ...others] = await box.files();
  assert(/^[0-9a-f]{64}\.eml$/.test(file!));
  assertEquals(others, []);
});

Deno.test("emailSend leaves no part of a file when it cannot write the whole", async () => {
  await using box = await outbox();
  await Deno.mkdir(join(box.dir, `${KEY}.eml`), { recursive: true });
  await assertRejects(async () =>
    await emailSend.run(VALID, attemptContext({ mail: { outboxDir: box.dir } }))
  );
  assertEquals(await box.files(), [`${KEY}.eml`]);
});
