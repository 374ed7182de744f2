/**
 * `/audit`: what an outside verifier needs, in forms that `docs/audit.md` describes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { z } from "zod";
import { BeyondLogError, type LogProofs } from "../audit/log_proofs.ts";
import type { EventMeta } from "../events/event.ts";
import { API_ROOT, type ApiContext, eventMeta } from "./context.ts";
import { integerText } from "./fields.ts";
import { sharedHeaders } from "./headers.ts";
import { doesNotFit, ProblemError } from "./problem.ts";
import { readQuery } from "./query.ts";
import { replyJson } from "./reply.ts";
import type { Route } from "./route.ts";

export interface AuditParts {
  readonly proofs: LogProofs;
  /** Key of those who verify the log's checkpoints, as `<name>+<key id>+<base64 key>`. */
  readonly verifierKey: string;
  /** Records that the log was read; the answer waits for it. Default: nobody asks. */
  readonly onRead?: (read: AuditRead, meta: EventMeta) => Promise<void>;
}

/** What somebody was told of the log. */
export interface AuditRead {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

const place = integerText(0, Number.MAX_SAFE_INTEGER);
/** The embedded file has one partition. */
const partition = integerText(0, 0).exactOptional();
const LINE_BREAK = Uint8Array.of(0x0a);

export function auditRoutes({ proofs, verifierKey, onRead }: AuditParts): readonly Route[] {
  return [
    route("key", (c) => {
      readQuery(c, z.strictObject({ partition }));
      return replyText(c, `${verifierKey}\n`);
    }),
    route("checkpoint", async (c) => {
      readQuery(c, z.strictObject({ partition }));
      const note = await proofs.checkpoint();
      if (note === undefined) {
        throw new ProblemError(
          404,
          "There is no checkpoint yet: one is signed after 1,000 events or a minute",
        );
      }
      return replyText(c, note);
    }),
    route("inclusion", async (c) => {
      const { position, size } = readQuery(c, z.strictObject({ position: place, size: place, partition }));
      const { leafHash, root, hashes } = await within("size", () => proofs.inclusion(position, size));
      return replyJson(c, 200, {
        position,
        size,
        leaf_hash: base64(leafHash),
        root: base64(root),
        hashes: hashes.map(base64),
      });
    }),
    route("consistency", async (c) => {
      const { from, to } = readQuery(c, z.strictObject({ from: place, to: place, partition }));
      const { fromRoot, toRoot, hashes } = await within("to", () => proofs.consistency(from, to));
      return replyJson(c, 200, {
        from,
        to,
        from_root: base64(fromRoot),
        to_root: base64(toRoot),
        hashes: hashes.map(base64),
      });
    }),
    route("entries", async (c) => {
      const { start, end } = readQuery(c, z.strictObject({ start: place, end: place, partition }));
      const entries = await within("end", () => proofs.entries(start, end));
      const lines = Buffer.concat(entries.flatMap((bytes) => [bytes, LINE_BREAK]));
      return new Response(lines, {
        headers: { "Content-Type": "application/x-ndjson", ...sharedHeaders(c) },
      });
    }),
  ];

  /** An answer that cannot be recorded is not given. */
  function route(name: string, answer: Route["answer"]): Route {
    return {
      method: "GET",
      path: `${API_ROOT}/audit/${name}`,
      scope: "audit:read",
      answer: async (c) => {
        const response = await answer(c);
        await onRead?.({ path: c.req.path, query: c.req.query() }, eventMeta(c));
        return response;
      },
    };
  }
}

/** What lies beyond the log is told as a parameter that does not fit. */
async function within<T>(parameter: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof BeyondLogError) throw doesNotFit([{ parameter, message: error.message }]);
    throw error;
  }
}

function replyText(c: ApiContext, text: string): Response {
  return new Response(text, {
    headers: { "Content-Type": "text/plain; charset=utf-8", ...sharedHeaders(c) },
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
