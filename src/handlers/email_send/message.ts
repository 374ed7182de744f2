/**
 * Puts a message together: the parts a recipient's program shows, and the id that stays the same over retries.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { convert } from "html-to-text";
import type { SendMailOptions } from "nodemailer";
import type { HandlerContext } from "../handler.ts";
import type { EmailPayload } from "./payload.ts";
import { renderTemplate } from "./render_template.ts";
import { loadTemplate } from "./template_files.ts";

/** A message ready for a transport. */
export interface ComposedMessage {
  /** With angle brackets. */
  readonly messageId: string;
  readonly recipients: readonly string[];
  readonly options: SendMailOptions;
}

/**
 * The message that a payload describes.
 *
 * `text` and `html` given beside a template replace its part of that kind. A message with HTML alone gets a plain
 * text part made from it.
 *
 * @throws {PermanentError} When the template is unknown or does not fit the data.
 */
export async function composeMessage(
  payload: EmailPayload,
  context: HandlerContext,
): Promise<ComposedMessage> {
  const { from, templateDirs } = context.services.mail;
  const rendered = payload.template === undefined ? {} : renderTemplate(
    await loadTemplate(payload.template, templateDirs),
    payload.subject,
    payload.data ?? {},
  );
  const html = payload.html ?? rendered.html;
  const text = payload.text ?? rendered.text ?? textOf(html ?? "");
  const recipients = [...new Set([payload.to].flat())];
  const messageId = `<${fileSafe(context.idempotencyKey)}@${domainOf(from)}>`;
  return {
    messageId,
    recipients,
    options: {
      from,
      // Objects, because the library takes an address that is a string for a list to parse.
      to: recipients.map((address) => ({ name: "", address })),
      subject: payload.subject,
      text,
      ...(html !== undefined && { html }),
      messageId,
      date: context.now(),
      disableFileAccess: true,
      disableUrlAccess: true,
    },
  };
}

/** The key itself where it can stand in a file name and a message id, else its SHA-256 in hex. */
export function fileSafe(key: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(key) ? key : createHash("sha256").update(key).digest("hex");
}

function domainOf(from: string): string {
  return /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? "localhost";
}

const HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"];

function textOf(html: string): string {
  return convert(html, {
    wordwrap: 78,
    selectors: [
      ...HEADINGS.map((selector) => ({ selector, options: { uppercase: false } })),
      { selector: "a", options: { hideLinkHrefIfSameAsText: true } },
      { selector: "img", format: "skip" },
    ],
  });
}
