/**
 * Hands a message to an SMTP server and tells what a retry can mend from what it cannot.
 *
 * One connection per message, ended whatever happens. `smtps://` speaks TLS from the start; `smtp://` upgrades by
 * STARTTLS where the server offers it, and insists on it with `?requireTLS=true`.
 *
 * @module
 */
import nodemailer from "nodemailer";
import type { NodemailerError } from "nodemailer";
import { PermanentError } from "../handler.ts";
import type { ComposedMessage } from "./message.ts";

/** A recipient that the server refused while it took the message for others. */
export interface RejectedRecipient {
  readonly address: string;
  /** The server's answer. */
  readonly response: string;
}

const CONNECTION_TIMEOUT_MS = 10_000;
const GREETING_TIMEOUT_MS = 10_000;
/** Longer, because servers scan a message before they answer for it. */
const SOCKET_TIMEOUT_MS = 60_000;

/**
 * Sends the message and answers the recipients that the server refused; an empty list when it took all.
 *
 * When the server takes the message for at least one recipient this succeeds: failing would send it to that one
 * again at the next attempt.
 *
 * @throws {PermanentError} When the server refuses for good: an answer 5xx, such as an unknown recipient (550) or a
 * wrong password (535).
 * @throws {Error} When a retry may help: an answer 4xx, no connection, no answer in time, a broken connection.
 * @throws The signal's reason when it fires first; the connection is ended at once.
 */
export async function sendBySmtp(
  message: ComposedMessage,
  smtpUrl: string,
  signal: AbortSignal,
): Promise<RejectedRecipient[]> {
  const server = serverOf(smtpUrl);
  const transport = nodemailer.createTransport({
    url: smtpUrl,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    greetingTimeout: GREETING_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    dnsTimeout: CONNECTION_TIMEOUT_MS,
  });
  try {
    const sent = await transport.sendMail({ ...message.options, signal });
    return (sent.rejectedErrors ?? []).map((error) => ({
      address: error.recipient ?? "",
      response: withoutSecrets(error.response ?? error.message, smtpUrl),
    }));
  } catch (error) {
    signal.throwIfAborted();
    throw deliveryError(error as NodemailerError, server, smtpUrl);
  } finally {
    transport.close();
  }
}

function deliveryError(error: NodemailerError, server: string, smtpUrl: string): Error {
  const reason = withoutSecrets(error.message, smtpUrl);
  const message = `Cannot send email by SMTP server ${server}: ${reason}`;
  // Without an answer of the server a login failed on our side: there is no password, or no method in common.
  const cannotLogIn = (error.code === "EAUTH" || error.code === "ENOAUTH") &&
    error.responseCode === undefined;
  return error.permanent === true || cannotLogIn ? new PermanentError(message) : new Error(message);
}

function serverOf(smtpUrl: string): string {
  const url = URL.parse(smtpUrl);
  if (url === null || !/^smtps?:$/.test(url.protocol)) {
    throw new PermanentError(
      "DAYBOOK_SMTP_URL is not an SMTP address: it must read smtp://host:port or smtps://host:port",
    );
  }
  return url.host;
}

/** A server may quote the command that it refuses, so the password is taken out in each form it travels in. */
function withoutSecrets(text: string, smtpUrl: string): string {
  const url = URL.parse(smtpUrl);
  if (url === null || url.password === "") return text;
  const user = decoded(url.username);
  const password = decoded(url.password);
  const forms = [base64(`\0${user}\0${password}`), base64(password), url.password, password];
  return forms.reduce((clean, form) => clean.replaceAll(form, "***"), text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
