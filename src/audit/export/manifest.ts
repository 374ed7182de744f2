/**
 * The manifest of an export: what its files are, and what proves that they are the log.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { z } from "zod";

const sha256 = z.hex().length(64);
const count = z.int().min(0);
/** In the export's folder, and nowhere else. */
const fileName = z.string().regex(/^[\w.-]+$/).refine((name) => !name.startsWith("."));

/** `manifest.json` in the export's folder. */
const manifestSchema = z.strictObject({
  /** `daybook-export/1` has the stored bytes; the other is a view of them, which cannot be imported. */
  format: z.enum(["daybook-export/1", "daybook-cloudevents/1"]),
  log_id: z.string().min(1),
  /** Logs that this one was restored from, oldest first, with the number of events up to their end. */
  earlier: z.array(z.strictObject({ log_id: z.string().min(1), size: count })),
  partition: z.literal(0),
  events: count,
  /** Of the Merkle tree over all events (RFC 9162), base64. */
  root: z.base64(),
  /** The latest signed checkpoint, which may be of fewer events; `null` when there is none. */
  checkpoint: z.string().nullable(),
  /** All checkpoints, one after another. */
  checkpoints: z.strictObject({ file: fileName, count, sha256 }),
  /** In the order of the log. */
  segments: z.array(z.strictObject({
    /** Events as lines, each ended by a line break, compressed with gzip. */
    file: fileName,
    /** Position of the first event. */
    first: count,
    events: count,
    /** Not compressed. */
    bytes: count,
    /** Of the file as it is, hex. */
    sha256,
  })),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type Segment = Manifest["segments"][number];

export const MANIFEST = "manifest.json";

/** A folder is not an export, or not the export of a whole log, or cannot be made one. */
export class ExportError extends Error {
  override readonly name: string = "ExportError";
}

/** An export is not as it was written: somebody changed it, or a disk did. */
export class DamagedExportError extends ExportError {
  override readonly name = "DamagedExportError";
}

/**
 * @throws {ExportError} If the folder has no manifest.
 * @throws {DamagedExportError} If it has one that makes no sense.
 */
export async function readManifest(dir: string): Promise<Manifest> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(`${dir}/${MANIFEST}`));
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no manifest.json"
      : (error as Error).message;
    throw new ExportError(`${dir} is not a finished export: ${why}`, { cause: error });
  }
  const { data, error } = manifestSchema.safeParse(json);
  if (data) return data;
  const [issue] = error.issues;
  throw new DamagedExportError(
    `${dir}/${MANIFEST} is damaged: ${issue!.path.join(".") || "it"}: ${issue!.message}`,
  );
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
