/**
 * What the email tests share: a context for one attempt, and a real SMTP server on a loopback port.
 *
 * @module
 */
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { SMTPServer } from "smtp-server";
import type { SMTPServerOptions } from "smtp-server";
import { simpleParser } from "mailparser";
import type { ParsedMail } from "mailparser";
import type { HandlerContext, MailSettings } from "../../../src/handlers/handler.ts";

export const SHIPPED_TEMPLATES = fileURLToPath(new URL("../../../templates", import.meta.url));
export const NOW = new Date("2026-01-07T10:15:32.123Z");

export interface ContextOptions {
  readonly mail?: Partial<MailSettings>;
  readonly idempotencyKey?: string;
  readonly attempt?: number;
  readonly signal?: AbortSignal;
  readonly logged?: string[];
}

/** A context whose mail goes to the shipped templates and to no server unless `options.mail` says so. */
export function attemptContext(options: ContextOptions = {}): HandlerContext {
  return {
    jobId: "0190e7a4-0000-7000-8000-000000000001",
    attempt: options.attempt ?? 1,
    idempotencyKey: options.idempotencyKey ?? "0190e7a4-0000-7000-8000-000000000001",
    signal: options.signal ?? new AbortController().signal,
    progress: () => {},
    log: (message) => void options.logged?.push(message),
    now: () => NOW,
    services: {
      get cache(): never {
        throw new Error("email_send must not touch the cache");
      },
      mail: {
        from: "Daybook <daybook@sender.example>",
        outboxDir: "/nonexistent/outbox",
        templateDirs: [SHIPPED_TEMPLATES],
        ...options.mail,
      },
      logs: { own: { path: "", moveTo: () => Promise.resolve(0) }, dirs: [], keep: 0 },
      databases: [],
      records: {
        deleteCancelledJobs: () => Promise.resolve(0),
        deleteExpired: () => Promise.resolve(0),
      },
      tempDir: "/nonexistent/tmp",
    },
  };
}

/** A message as the server got it. */
export interface ReceivedMail {
  readonly envelopeFrom: string;
  readonly envelopeTo: string[];
  readonly raw: string;
  readonly mail: ParsedMail;
  readonly user: string | undefined;
  readonly secure: boolean;
}

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly received: ReceivedMail[];
}

/** Starts a server that takes every message, without TLS and without asking for a login, unless `options` differ. */
export async function startSmtpServer(options: SMTPServerOptions = {}): Promise<TestServer> {
  const received: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData(stream, session, callback) {
      const chunks: Uint8Array[] = [];
      stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      stream.on("end", async () => {
        const raw = new TextDecoder().decode(await new Blob(chunks as BlobPart[]).arrayBuffer());
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          envelopeFrom: mailFrom === false ? "" : mailFrom.address,
          envelopeTo: rcptTo.map((recipient) => recipient.address),
          raw,
          mail: await simpleParser(raw),
          user: session.user === undefined ? undefined : String(session.user),
          secure: session.secure === true,
        });
        callback();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    received,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** An error that the server answers with, as `smtp-server` wants it. */
export function smtpAnswer(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
