/**
 * Reads request bodies: bounded, JSON, an object. What comes out has passed every check but that of its fields.
 *
 * @module
 */
import type { JobSpec } from "../actors/jobs.ts";
import { findJsonFault, isJsonObject } from "../actors/json_value.ts";
import { textOf } from "../events/utf8.ts";
import type { ApiContext } from "./context.ts";
import { fieldDoesNotFit, pointer, ProblemError } from "./problem.ts";
import { turnBarrier } from "./turn_barrier.ts";

/** Behind it a body is parsed, checked and made use of. */
const bodiesRead = turnBarrier();

/** Largest body in bytes, where a route does not say otherwise. */
export const MAX_BODY_BYTES = 128 * 1024;

export interface JsonBody {
  readonly value: JobSpec["payload"];
  /** Length of its text. */
  readonly bytes: number;
}

const JSON_TYPE = /^application\/(?:[a-z0-9!#$&^_.-]+\+)?json *(?:;.*)?$/i;
const OTHER_CHARSET = /;\s*charset\s*=\s*(?!"?utf-?8"?\s*(?:;|$))/i;

/**
 * @throws {ProblemError} 400 not UTF-8 or not JSON, 413 too large, 415 of another type or encoded, 422 not an object
 * or with a value that cannot be kept as it is.
 */
export async function readJsonBody(c: ApiContext): Promise<JsonBody> {
  return sound(await readUncheckedJsonBody(c, MAX_BODY_BYTES));
}

/** The same for a body of at most `limit` bytes, whose values the caller checks part by part with `findJsonFault`. */
export async function readUncheckedJsonBody(c: ApiContext, limit: number): Promise<JsonBody> {
  requireJson(c);
  return parse(await readBytes(c.req.raw, limit));
}

/** The same where the body may be left out, which stands for `{}`. */
export async function readOptionalJsonBody(c: ApiContext): Promise<JsonBody> {
  const bytes = await readBytes(c.req.raw, MAX_BODY_BYTES);
  if (bytes.byteLength === 0) return { value: {}, bytes: 0 };
  requireJson(c);
  return sound(parse(bytes));
}

function requireJson(c: ApiContext): void {
  const type = c.req.header("content-type") ?? "";
  const isJson = type === "application/json" || (JSON_TYPE.test(type) && !OTHER_CHARSET.test(type));
  if (!isJson) {
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
    text = textOf(bytes);
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
  if (!isJsonObject(value)) throw fieldDoesNotFit("", "the body must be a JSON object");
  return { value, bytes: bytes.byteLength };
}

function sound(body: JsonBody): JsonBody {
  const fault = findJsonFault(body.value);
  if (fault) throw fieldDoesNotFit(pointer(fault.path), fault.message);
  return body;
}

async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const declared = request.headers.get("Content-Length");
  if (declared !== null && Number(declared) > limit) throw tooLarge(limit);
  try {
    // The server holds the body to its Content-Length, so only a body without one must be counted as it comes. To
    // read it otherwise, or so much as to touch `body`, makes a stream of it at several times the cost.
    const bytes = declared === null ? await readCounting(request.body, limit) : await request.bytes();
    if (bytes.byteLength > limit) throw tooLarge(limit);
    await bodiesRead();
    return bytes;
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError(400, "The body ended before its end");
  }
}

async function readCounting(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop by an exception cancels the stream.
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    if (length > limit) throw tooLarge(limit);
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

function tooLarge(limit: number): ProblemError {
  return new ProblemError(413, `The body may have at most ${limit} bytes`);
}
