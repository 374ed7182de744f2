/**
 * Reads request bodies: bounded, JSON, an object. What comes out has passed every check but that of its fields.
 *
 * @module
 */
import type { JobSpec } from "../actors/jobs.ts";
import type { ApiContext } from "./context.ts";
import { findJsonFault } from "./json_value.ts";
import { fieldDoesNotFit, pointer, ProblemError } from "./problem.ts";

/** Largest body in bytes. */
export const MAX_BODY_BYTES = 128 * 1024;

export interface JsonBody {
  readonly value: JobSpec["payload"];
  /** Length of its text. */
  readonly bytes: number;
}

const JSON_TYPE = /^application\/(?:[a-z0-9!#$&^_.-]+\+)?json *(?:;.*)?$/i;
const OTHER_CHARSET = /;\s*charset\s*=\s*(?!"?utf-?8"?\s*(?:;|$))/i;
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * @throws {ProblemError} 400 not UTF-8 or not JSON, 413 too large, 415 of another type or encoded, 422 not an object
 * or with a value that cannot be kept as it is.
 */
export async function readJsonBody(c: ApiContext): Promise<JsonBody> {
  requireJson(c);
  return parse(await readBytes(c.req.raw));
}

/** The same where the body may be left out, which stands for `{}`. */
export async function readOptionalJsonBody(c: ApiContext): Promise<JsonBody> {
  const bytes = await readBytes(c.req.raw);
  if (bytes.byteLength === 0) return { value: {}, bytes: 0 };
  requireJson(c);
  return parse(bytes);
}

function requireJson(c: ApiContext): void {
  const type = c.req.header("Content-Type") ?? "";
  if (!JSON_TYPE.test(type) || OTHER_CHARSET.test(type)) {
    throw new ProblemError(415, "The body must be JSON in UTF-8: send 'Content-Type: application/json'", {
      Accept: "application/json",
    });
  }
  const encoding = c.req.header("Content-Encoding");
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    throw new ProblemError(415, "The body must not be compressed", { "Accept-Encoding": "identity" });
  }
}

function parse(bytes: Uint8Array): JsonBody {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw new ProblemError(400, "The body is not UTF-8");
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The rest of the parser's message quotes the text, which may be secret.
    const place = / at position \d+/.exec((error as Error).message)?.[0] ?? "";
    throw new ProblemError(400, `The body is not JSON${place}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fieldDoesNotFit("", "the body must be a JSON object");
  }
  const fault = findJsonFault(value);
  if (fault) throw fieldDoesNotFit(pointer(fault.path), fault.message);
  return { value: value as JobSpec["payload"], bytes: bytes.byteLength };
}

async function readBytes(request: Request): Promise<Uint8Array> {
  const declared = request.headers.get("Content-Length");
  if (declared !== null && Number(declared) > MAX_BODY_BYTES) throw tooLarge();
  try {
    // The server holds the body to its Content-Length, so only a body without one must be counted as it comes. To
    // read it otherwise, or so much as to touch `body`, makes a stream of it at several times the cost.
    const bytes = declared === null ? await readCounting(request.body) : await request.bytes();
    if (bytes.byteLength > MAX_BODY_BYTES) throw tooLarge();
    return bytes;
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError(400, "The body ended before its end");
  }
}

async function readCounting(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop by an exception cancels the stream.
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    if (length > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

function tooLarge(): ProblemError {
  return new ProblemError(413, `The body may have at most ${MAX_BODY_BYTES} bytes`);
}
