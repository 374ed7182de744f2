import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { emailSend } from "../../../src/handlers/email_send.ts";
import { PermanentError } from "../../../src/handlers/handler.ts";
import { attemptContext, smtpAnswer, startSmtpServer } from "./support.ts";
import type { ContextOptions } from "./support.ts";

const VALID = { to: "ops@example.com", subject: "Disk nearly full", text: "91 %" };

async function failure(
  smtpUrl: string,
  options: ContextOptions = {},
  payload: object = VALID,
): Promise<Error> {
  const context = attemptContext({ ...options, mail: { smtpUrl } });
  const error = await assertRejects(async () => await emailSend.run(payload as typeof VALID, context), Error);
  return error;
}

Deno.test("emailSend leaves a temporary refusal (451) to the job's retries, and delivers when it is over", async () => {
  let asked = 0;
  await using server = await startSmtpServer({
    onRcptTo: (_address, _session, callback) =>
      asked++ === 0 ? callback(smtpAnswer(451, "4.7.1 Greylisted, try later")) : callback(),
  });
  const error = await failure(server.url);
  assertEquals(error.name, "Error");
  assertStringIncludes(error.message, `Cannot send email by SMTP server 127.0.0.1:${server.port}`);
  assertStringIncludes(error.message, "451 4.7.1 Greylisted, try later");
  await emailSend.run(VALID, attemptContext({ mail: { smtpUrl: server.url }, attempt: 2 }));
  assertEquals(server.received.length, 1);
});

Deno.test("emailSend fails for good when the server refuses for good, and shows its answer", async () => {
  const stages = {
    onMailFrom: smtpAnswer(550, "5.7.1 Sender refused"),
    onRcptTo: smtpAnswer(550, "5.1.1 User unknown"),
  };
  for (const [stage, answer] of Object.entries(stages)) {
    await using server = await startSmtpServer({
      [stage]: (_address: unknown, _session: unknown, callback: (error: Error) => void) => callback(answer),
    });
    const error = await failure(server.url);
    assertInstanceOf(error, PermanentError);
    assertStringIncludes(error.message, `550 ${answer.message}`);
  }
});

Deno.test("emailSend fails for good when the server refuses the message itself", async () => {
  await using server = await startSmtpServer({
    onData: (stream, _session, callback) => {
      stream.resume();
      stream.on("end", () => callback(smtpAnswer(554, "5.6.0 Looks like spam")));
    },
  });
  assertInstanceOf(await failure(server.url), PermanentError);
});

Deno.test("emailSend fails for good on a wrong password (535), and shows it nowhere", async () => {
  await using server = await startSmtpServer({
    authOptional: false,
    onAuth: (auth, _session, callback) =>
      callback(smtpAnswer(535, `5.7.8 No such login ${auth.username} with ${auth.password}`)),
  });
  const error = await failure(`smtp://mailer:s3cr%C3%A9t@127.0.0.1:${server.port}`);
  assertInstanceOf(error, PermanentError);
  assertStringIncludes(error.message, "535 5.7.8 No such login mailer with ***");
  assertEquals(/s3cr/.test(error.message + error.stack), false);
});

Deno.test("emailSend retries a login that the server cannot check just now (454)", async () => {
  await using server = await startSmtpServer({
    authOptional: false,
    onAuth: (_auth, _session, callback) => callback(smtpAnswer(454, "4.7.0 Try later")),
  });
  const error = await failure(`smtp://mailer:secret@127.0.0.1:${server.port}`);
  assertEquals(error.name, "Error");
});

Deno.test("emailSend delivers to the recipients that the server takes and reports the others", async () => {
  await using server = await startSmtpServer({
    onRcptTo: ({ address }, _session, callback) =>
      address === "gone@example.com" ? callback(smtpAnswer(550, "5.1.1 User unknown")) : callback(),
  });
  const logged: string[] = [];
  const result = await emailSend.run(
    { ...VALID, to: ["a@example.com", "gone@example.com", "b@example.com"] },
    attemptContext({ mail: { smtpUrl: server.url }, logged }),
  );
  assertEquals(result.rejected, [{ address: "gone@example.com", response: "550 5.1.1 User unknown" }]);
  assertEquals(server.received.map(({ envelopeTo }) => envelopeTo), [["a@example.com", "b@example.com"]]);
  assertEquals(logged, ["The SMTP server refused 1 of 3 recipients"]);
});

Deno.test("emailSend retries when all recipients are refused and one of them only for now", async () => {
  await using server = await startSmtpServer({
    onRcptTo: ({ address }, _session, callback) =>
      callback(address === "a@example.com" ? smtpAnswer(550, "User unknown") : smtpAnswer(451, "Try later")),
  });
  for (const to of [["a@example.com", "b@example.com"], ["b@example.com", "a@example.com"]]) {
    assertEquals((await failure(server.url, {}, { ...VALID, to })).name, "Error");
  }
});

Deno.test("emailSend retries when no server is there", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await failure(`smtp://user:secret@127.0.0.1:${port}`);
  assertEquals(error.name, "Error");
  assertStringIncludes(error.message, `Cannot send email by SMTP server 127.0.0.1:${port}: `);
  assertStringIncludes(error.message, "ECONNREFUSED");
});

Deno.test("emailSend retries when the server hangs up before it has answered", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const connection of listener) connection.close();
  })();
  const error = await failure(`smtp://127.0.0.1:${listener.addr.port}`);
  assertEquals(error.name, "Error");
  listener.close();
  await accepting;
});

Deno.test("emailSend stops at once with the signal's reason while the server hangs", async () => {
  const asked = Promise.withResolvers<void>();
  await using server = await startSmtpServer({ onRcptTo: () => asked.resolve() });
  const controller = new AbortController();
  const reason = new Error("The job was cancelled");
  const failed = failure(server.url, { signal: controller.signal });
  await asked.promise;
  controller.abort(reason);
  assertEquals(await failed, reason);
  assertEquals(server.received, []);
});

Deno.test("emailSend does not begin when its signal has fired", async () => {
  await using server = await startSmtpServer();
  const reason = new Error("shutting down");
  assertEquals(await failure(server.url, { signal: AbortSignal.abort(reason) }), reason);
  assertEquals(server.received, []);
});

Deno.test("emailSend fails for good on an unknown template and on a variable that data lacks", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/welcome.txt.mustache`, "Hi {{name}}");
    const context = attemptContext({ mail: { templateDirs: [dir] } });
    const { to, subject } = VALID;
    for (
      const [template, message] of [
        ["nope", "Unknown email template 'nope': known are welcome"],
        ["welcome", "needs the variable 'name'"],
      ]
    ) {
      await assertRejects(
        async () => await emailSend.run({ to, subject, template: template! }, context),
        PermanentError,
        message!,
      );
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("emailSend fails for good on an address that is no SMTP address, without quoting it", async () => {
  for (const smtpUrl of ["http://u:secret@x.example", "nonsense secret"]) {
    const error = await failure(smtpUrl);
    assertInstanceOf(error, PermanentError);
    assertEquals(error.message.includes("secret"), false);
  }
});
