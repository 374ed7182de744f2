/**
 * What an `email_send` job is told: whom to write to, and the words or the template to write.
 *
 * Addresses are checked here and nowhere later. The mail library parses what it is given, so that an address with a
 * line break in it would become a second recipient; none gets past this schema.
 *
 * @module
 */
import { z } from "zod";

/** Most recipients of one message; each sees the others' addresses in the `To` header. */
export const MAX_RECIPIENTS = 50;
/** RFC 5321, 4.5.3.1.3: a path is at most 256 octets with its angle brackets. */
const MAX_ADDRESS_LENGTH = 254;
/** RFC 5322, 2.1.1: a line is at most 998 characters. */
const MAX_SUBJECT_LENGTH = 998;

const missing = (field: string) => (issue: { readonly input?: unknown }): string | undefined =>
  issue.input === undefined ? `required field '${field}' missing from payload` : undefined;

const address = z.email().max(MAX_ADDRESS_LENGTH);

const to = z.union([address, z.array(address).min(1).max(MAX_RECIPIENTS)], {
  error: (issue) =>
    missing("to")(issue) ?? `to must be an email address or a list of 1 to ${MAX_RECIPIENTS} of them`,
});

const subject = z.string({ error: missing("subject") })
  .min(1)
  .max(MAX_SUBJECT_LENGTH)
  .regex(/^[^\r\n]*$/, { error: "subject must be a single line" });

/** The payload's schema. Unknown fields are refused. */
export const emailPayload = z.strictObject({
  to,
  subject,
  template: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, {
    error: "template must be a name of 1 to 64 letters, digits, '_' or '-'",
  }).optional(),
  data: z.record(z.string(), z.json()).optional(),
  text: z.string().min(1).optional(),
  html: z.string().min(1).optional(),
}).refine(
  (payload) => payload.template !== undefined || payload.text !== undefined || payload.html !== undefined,
  { error: "one of 'template', 'text' and 'html' must be in payload", path: ["template"] },
);

/** `{to, subject, template?, data?, text?, html?}`, with at least one of `template`, `text` and `html`. */
export type EmailPayload = z.infer<typeof emailPayload>;

/**
 * The payload, checked once more.
 *
 * @throws {TypeError} With the first thing that does not fit, such as `required field 'to' missing from payload`.
 */
export function parseEmailPayload(payload: unknown): EmailPayload {
  const parsed = emailPayload.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw new TypeError(parsed.error.issues[0]?.message ?? "payload does not fit email_send");
}
