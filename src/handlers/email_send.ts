/**
 * The job type `email_send`: sends one email by SMTP, or writes it to the outbox folder where no server is set.
 *
 * Delivery is at least once, as any job is: after a crash or a lost answer the message goes out again, under the
 * same `Message-ID`, by which mail systems know the second copy for a copy.
 *
 * @module
 */
import type { JobHandler } from "./handler.ts";
import { composeMessage } from "./email_send/message.ts";
import { writeToOutbox } from "./email_send/outbox.ts";
import { emailPayload, parseEmailPayload } from "./email_send/payload.ts";
import type { EmailPayload } from "./email_send/payload.ts";
import { sendBySmtp } from "./email_send/smtp.ts";
import type { RejectedRecipient } from "./email_send/smtp.ts";

/** What a sent email answers. */
export interface EmailResult {
  readonly status: "sent";
  /** As the payload has it. */
  readonly to: string | string[];
  readonly subject: string;
  /** With angle brackets, the same for every attempt of a job. */
  readonly message_id: string;
  /** When the server took the message or the file was written, ISO 8601. */
  readonly timestamp: string;
  readonly transport: "smtp" | "outbox";
  /** There only when the server took the message for some recipients and refused these; they get no retry. */
  readonly rejected?: RejectedRecipient[];
}

/** Sends one email; see the module's comment for what that promises. */
export const emailSend: JobHandler<EmailPayload, EmailResult> = {
  jobType: "email_send",
  payloadSchema: emailPayload,
  async run(payload, context) {
    const email = parseEmailPayload(payload);
    context.signal.throwIfAborted();
    const message = await composeMessage(email, context);
    const { smtpUrl } = context.services.mail;
    let rejected: RejectedRecipient[] = [];
    if (smtpUrl === undefined) await writeToOutbox(message, context);
    else rejected = await sendBySmtp(message, smtpUrl, context.signal);
    if (rejected.length > 0) {
      context.log(
        `The SMTP server refused ${rejected.length} of ${message.recipients.length} recipients`,
        "WARNING",
      );
    }
    return {
      status: "sent",
      to: email.to,
      subject: email.subject,
      message_id: message.messageId,
      timestamp: context.now().toISOString(),
      transport: smtpUrl === undefined ? "outbox" : "smtp",
      ...(rejected.length > 0 && { rejected }),
    };
  },
};
