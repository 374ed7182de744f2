/**
 * The core of `email_send` against a second SMTP implementation, Python's `aiosmtpd`, which stores each message in a
 * Maildir. `DAYBOOK_TEST_AIOSMTPD` names a Python interpreter that has it.
 *
 * @module
 */
import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { simpleParser } from "mailparser";
import type { ParsedMail } from "mailparser";
import { emailSend } from "../../src/handlers/email_send.ts";
import { PermanentError } from "../../src/handlers/handler.ts";
import { attemptContext } from "../handlers/email_send/support.ts";

const python = Deno.env.get("DAYBOOK_TEST_AIOSMTPD") ?? "";
const ignore = python === "";
const because = ignore ? " [skipped: DAYBOOK_TEST_AIOSMTPD names no Python that has aiosmtpd]" : "";

const START_DEADLINE_MS = 20_000;
/** Bytes; larger messages are refused with 552. */
const SIZE_LIMIT = 20_000;

class MailboxServer implements AsyncDisposable {
  private constructor(
    readonly port: number,
    private readonly root: string,
    private readonly process: Deno.ChildProcess,
  ) {}

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  static async start(): Promise<MailboxServer> {
    const root = await Deno.makeTempDir({ prefix: "daybook_aiosmtpd_" });
    const port = freePort();
    const process = new Deno.Command(python, {
      args: [
        ...["-m", "aiosmtpd", "-n", "-s", String(SIZE_LIMIT), "-l", `127.0.0.1:${port}`],
        ...["-c", "aiosmtpd.handlers.Mailbox", join(root, "mailbox")],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const server = new MailboxServer(port, root, process);
    await server.untilListening();
    return server;
  }

  async messages(): Promise<ParsedMail[]> {
    const folder = join(this.root, "mailbox", "new");
    const files = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
    return await Promise.all(
      files.map(async (name) => simpleParser(await Deno.readTextFile(join(folder, name)))),
    );
  }

  async stop(): Promise<void> {
    try {
      this.process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.root, { recursive: true });
  }

  private async untilListening(): Promise<void> {
    const deadline = Date.now() + START_DEADLINE_MS;
    while (Date.now() < deadline) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    await this[Symbol.asyncDispose]();
    throw new Error(`aiosmtpd did not listen on port ${this.port} within ${START_DEADLINE_MS} ms`);
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test({
  name: `emailSend delivers through aiosmtpd, in any script and dot-stuffed${because}`,
  ignore,
  async fn() {
    await using server = await MailboxServer.start();
    const result = await emailSend.run(
      {
        to: ["a@example.com", "b@example.com"],
        subject: "Grüße aus 東京 🚀",
        text: "first\n.\n..\nlast",
        html: "<p>first</p>",
      },
      attemptContext({ mail: { smtpUrl: server.url } }),
    );
    assertEquals(result.transport, "smtp");
    const [mail, ...others] = await server.messages();
    assertEquals(others, []);
    assertEquals(mail!.subject, "Grüße aus 東京 🚀");
    assertEquals(mail!.text?.trim(), "first\n.\n..\nlast");
    assertEquals(mail!.html, "<p>first</p>");
    assertEquals(mail!.messageId, result.message_id);
    assertEquals(mail!.headers.get("x-rcptto"), "a@example.com, b@example.com");
  },
});

Deno.test({
  name: `emailSend sends the shipped template through aiosmtpd${because}`,
  ignore,
  async fn() {
    await using server = await MailboxServer.start();
    await emailSend.run(
      { to: "a@example.com", subject: "Disk full", template: "system_alert", data: { host: "db1" } },
      attemptContext({ mail: { smtpUrl: server.url } }),
    );
    const [mail] = await server.messages();
    assertStringIncludes(mail!.text!, "host: db1");
    assertStringIncludes(String(mail!.html), "<b>host:</b> db1");
  },
});

Deno.test({
  name:
    `emailSend fails for good when aiosmtpd refuses the size (552), and retries when it is gone${because}`,
  ignore,
  async fn() {
    await using server = await MailboxServer.start();
    const context = attemptContext({ mail: { smtpUrl: server.url } });
    const payload = { to: "a@example.com", subject: "Long", text: "0123456789\n".repeat(SIZE_LIMIT / 10) };
    const refused = await assertRejects(async () => await emailSend.run(payload, context), PermanentError);
    assertStringIncludes(refused.message, "552");
    await server.stop();
    const unreachable = await assertRejects(async () => await emailSend.run(payload, context), Error);
    assertInstanceOf(unreachable, Error);
    assertEquals(unreachable.name, "Error");
  },
});
