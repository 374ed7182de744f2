import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { emailSend } from "../../../src/handlers/email_send.ts";
import { attemptContext, NOW, smtpAnswer, startSmtpServer } from "./support.ts";

const KEY = "0190e7a4-0000-7000-8000-000000000001";
const VALID = { to: "ops@example.com", subject: "Disk nearly full", text: "91 %" };

Deno.test("emailSend delivers a message by SMTP and answers what it did", async () => {
  await using server = await startSmtpServer();
  const result = await emailSend.run(VALID, attemptContext({ mail: { smtpUrl: server.url } }));
  assertEquals(result, {
    status: "sent",
    to: "ops@example.com",
    subject: "Disk nearly full",
    message_id: `<${KEY}@sender.example>`,
    timestamp: NOW.toISOString(),
    transport: "smtp",
  });
  const [received] = server.received;
  assertEquals(server.received.length, 1);
  assertEquals(received!.envelopeFrom, "daybook@sender.example");
  assertEquals(received!.envelopeTo, ["ops@example.com"]);
  assertEquals(received!.mail.subject, "Disk nearly full");
  assertEquals(received!.mail.text?.trim(), "91 %");
  assertEquals(received!.mail.from?.text, '"Daybook" <daybook@sender.example>');
  assertEquals(received!.mail.messageId, `<${KEY}@sender.example>`);
});

Deno.test("emailSend gives every attempt of a job the same Message-ID and every job another", async () => {
  await using server = await startSmtpServer();
  const mail = { smtpUrl: server.url };
  await emailSend.run(VALID, attemptContext({ mail }));
  await emailSend.run(VALID, attemptContext({ mail, attempt: 2 }));
  await emailSend.run(VALID, attemptContext({ mail, idempotencyKey: "order/7\r\nBcc: b@example.com" }));
  const ids = server.received.map(({ mail }) => mail.messageId);
  assertEquals(ids[0], ids[1]);
  assert(/^<[0-9a-f]{64}@sender\.example>$/.test(ids[2]!));
});

Deno.test("emailSend writes once to each of several recipients in one message", async () => {
  await using server = await startSmtpServer();
  const to = ["a@example.com", "b@example.com", "a@example.com"];
  const result = await emailSend.run({ ...VALID, to }, attemptContext({ mail: { smtpUrl: server.url } }));
  assertEquals(result.to, to);
  assertEquals(server.received.map(({ envelopeTo }) => envelopeTo), [["a@example.com", "b@example.com"]]);
});

Deno.test("emailSend logs in with the address's user and password", async () => {
  await using server = await startSmtpServer({
    authOptional: false,
    onAuth: (auth, _session, callback) =>
      auth.username === "mailer@x" && auth.password === "p@ss:w/rd"
        ? callback(null, { user: "mailer@x" })
        : callback(smtpAnswer(535, "Authentication failed")),
  });
  const smtpUrl = `smtp://mailer%40x:p%40ss%3Aw%2Frd@127.0.0.1:${server.port}`;
  await emailSend.run(VALID, attemptContext({ mail: { smtpUrl } }));
  assertEquals(server.received[0]?.user, "mailer@x");
});

Deno.test("emailSend upgrades by STARTTLS and speaks TLS from the start with smtps://", async () => {
  for (const secure of [false, true]) {
    await using server = await startSmtpServer({ secure, disabledCommands: [] });
    const smtpUrl = `${secure ? "smtps" : "smtp"}://127.0.0.1:${server.port}?tls.rejectUnauthorized=false`;
    await emailSend.run(VALID, attemptContext({ mail: { smtpUrl } }));
    assertEquals(server.received[0]?.secure, true);
  }
});

Deno.test("emailSend sends nothing to a server whose certificate it cannot trust", async () => {
  await using server = await startSmtpServer({ disabledCommands: [] });
  await assertRejects(
    async () => await emailSend.run(VALID, attemptContext({ mail: { smtpUrl: server.url } })),
    Error,
    "certificate",
  );
  assertEquals(server.received, []);
});

Deno.test("emailSend carries a subject and texts in any script", async () => {
  await using server = await startSmtpServer();
  const subject = "Grüße aus 東京 🚀 " + "é".repeat(200);
  await emailSend.run(
    { ...VALID, subject, text: "Привет 👋" },
    attemptContext({ mail: { smtpUrl: server.url } }),
  );
  assertEquals(server.received[0]?.mail.subject, subject);
  assertEquals(server.received[0]?.mail.text?.trim(), "Привет 👋");
});

Deno.test("emailSend makes a text part for a message that has html alone", async () => {
  await using server = await startSmtpServer();
  const html = '<h1>Disk full</h1><p>Free <b>space</b> on <a href="https://x.example/db1">db1</a>.</p>';
  const { to, subject } = VALID;
  await emailSend.run({ to, subject, html }, attemptContext({ mail: { smtpUrl: server.url } }));
  assertEquals(server.received[0]?.mail.html, html);
  assertEquals(
    server.received[0]?.mail.text?.trim(),
    "Disk full\n\nFree space on db1 [https://x.example/db1].",
  );
});

Deno.test("emailSend renders a template by name, and a given text replaces its text part", async () => {
  await using server = await startSmtpServer();
  const context = attemptContext({ mail: { smtpUrl: server.url } });
  const { to, subject } = VALID;
  const template = { to, subject, template: "system_alert", data: { host: "db<1>" } };
  await emailSend.run(template, context);
  await emailSend.run({ ...template, text: "in short" }, context);
  const [rendered, replaced] = server.received.map(({ mail }) => mail);
  assertStringIncludes(rendered!.text!, "host: db<1>");
  assertStringIncludes(String(rendered!.html), "db&lt;1&gt;");
  assertEquals(replaced!.text?.trim(), "in short");
  assertStringIncludes(String(replaced!.html), "db&lt;1&gt;");
});

Deno.test("emailSend lets no text end the message early or add a header", async () => {
  await using server = await startSmtpServer();
  const text =
    "first\r\n.\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nBcc: b@example.com";
  const data = { "note\r\nBcc: b@example.com": "x\r\n.\r\nQUIT" };
  const { to, subject } = VALID;
  const context = attemptContext({ mail: { smtpUrl: server.url } });
  await emailSend.run({ to, subject, text }, context);
  await emailSend.run({ to, subject, template: "system_alert", data }, context);
  assertEquals(server.received.map(({ envelopeTo }) => envelopeTo), [["ops@example.com"], [
    "ops@example.com",
  ]]);
  for (const { mail } of server.received) assertEquals(mail.bcc, undefined);
  assertEquals(server.received[0]!.mail.text?.trim(), text.replaceAll("\r\n", "\n"));
});

Deno.test("emailSend refuses a header injection before it speaks to any server", async () => {
  await using server = await startSmtpServer();
  const injections = [
    { ...VALID, to: "a@example.com\r\nRCPT TO:<b@example.com>" },
    { ...VALID, to: ["a@example.com", "b@example.com\nBcc: c@example.com"] },
    { ...VALID, to: "a@example.com, b@example.com" },
    { ...VALID, subject: "x\r\nBcc: b@example.com" },
    { ...VALID, subject: "x\r\n\r\nbody" },
  ];
  for (const payload of injections) {
    await assertRejects(
      async () => await emailSend.run(payload, attemptContext({ mail: { smtpUrl: server.url } })),
      TypeError,
    );
  }
  assertEquals(server.received, []);
});

Deno.test("emailSend reads no file and fetches no address that a text or html names", async () => {
  await using server = await startSmtpServer();
  const html = '<img src="file:///etc/hostname"><img src="http://127.0.0.1:9/x.png">';
  await emailSend.run({ ...VALID, html }, attemptContext({ mail: { smtpUrl: server.url } }));
  assertEquals(server.received[0]?.mail.attachments, []);
});
