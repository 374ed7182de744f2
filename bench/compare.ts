/**
 * This run beside an earlier one: `deno task bench --compare <file>`.
 *
 * Machines and minutes differ, and rates with them. Where a row has a reference, taken in the same round, the ratio of
 * the two runs' ratios to it says more than the ratio of their rates.
 *
 * @module
 */
import { z } from "zod";
import type { Latency, Memory, Reference, Row } from "./measurement.ts";
import type { Comparison, Conditions, Report, RowComparison } from "./report.ts";

/** The file is not what `deno task bench --json` wrote. */
export class NotABenchReportError extends Error {
  override readonly name = "NotABenchReportError";

  constructor(readonly path: string, reason: string, options?: ErrorOptions) {
    super(`${path} is not a report of deno task bench --json: ${reason}`, options);
  }
}

/** Conditions without which the figures of two runs say little about what lies between them. */
const COMPARED_CONDITIONS = ["deno", "system", "cores", "log_level", "durability"] as const;

const latency = z.object({ p50: z.number(), p99: z.number() });
const memory = z.object({ now: z.number(), peak: z.number().nullable() });

/** What is read of a report; the rest may be as an earlier version had it. */
const reportSchema = z.object({
  conditions: z.looseObject({
    time: z.string(),
    deno: z.string(),
    cores: z.number(),
    sizes: z.looseObject({}),
  }),
  rows: z.array(z.looseObject({
    name: z.string(),
    what: z.string(),
    per_second: z.number().nullable(),
    latency_ms: latency.nullable(),
    memory_mb: memory.nullable(),
    reference: z.looseObject({ what: z.string(), ratio: z.union([z.number(), latency]) }).nullable(),
  })),
});

interface EarlierRow extends Pick<Row, "name" | "per_second" | "latency_ms" | "memory_mb"> {
  readonly reference: Pick<Reference, "what" | "ratio"> | null;
}

interface EarlierReport {
  readonly conditions: { readonly time: string; readonly sizes: object };
  readonly rows: readonly EarlierRow[];
}

/** @throws {NotABenchReportError} If there is no such file, or something else in it. */
export async function readReport(path: string): Promise<EarlierReport> {
  let content: unknown;
  try {
    content = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new NotABenchReportError(path, (error as Error).message, { cause: error });
  }
  const { success, data, error } = reportSchema.safeParse(content);
  if (success) return data;
  const [issue] = error.issues;
  throw new NotABenchReportError(path, `${issue?.path.join(".") || "the whole"}: ${issue?.message}`);
}

/** Every ratio is this run's figure divided by the earlier one's. */
export function compareReports(now: Report, earlier: EarlierReport): Comparison {
  const earlierRows = new Map(earlier.rows.map((row) => [row.name, row]));
  const names = new Set(now.rows.map(({ name }) => name));
  return {
    earlier_time: earlier.conditions.time,
    differences: differencesOf(now.conditions, earlier.conditions),
    rows: now.rows.flatMap((row) => {
      const before = earlierRows.get(row.name);
      return before ? [compareRows(row, before)] : [];
    }),
    only_now: [...names].filter((name) => !earlierRows.has(name)),
    only_earlier: [...earlierRows.keys()].filter((name) => !names.has(name)),
  };
}

function compareRows(now: Row, earlier: EarlierRow): RowComparison {
  const comparable = now.reference && earlier.reference && now.reference.what === earlier.reference.what;
  return {
    name: now.name,
    per_second: quotient(now.per_second, earlier.per_second),
    latency_ms: quotients(now.latency_ms, earlier.latency_ms),
    memory_mb: memoryQuotients(now.memory_mb, earlier.memory_mb),
    reference_ratio: comparable ? ratioOfRatios(now.reference.ratio, earlier.reference!.ratio) : null,
  };
}

function ratioOfRatios(now: number | Latency, earlier: number | Latency): number | Latency | null {
  if (typeof now === "number") return typeof earlier === "number" ? quotient(now, earlier) : null;
  return typeof earlier === "number" ? null : quotients(now, earlier);
}

function quotients(now: Latency | null, earlier: Latency | null): Latency | null {
  if (now === null || earlier === null) return null;
  const [p50, p99] = [quotient(now.p50, earlier.p50), quotient(now.p99, earlier.p99)];
  return p50 === null || p99 === null ? null : { p50, p99 };
}

function memoryQuotients(now: Memory | null, earlier: Memory | null): Memory | null {
  const ofNow = quotient(now?.now ?? null, earlier?.now ?? null);
  return ofNow === null ? null : { now: ofNow, peak: quotient(now!.peak, earlier!.peak) };
}

function quotient(now: number | null, earlier: number | null): number | null {
  return now === null || earlier === null || earlier === 0 ? null : now / earlier;
}

function differencesOf(now: Conditions, earlier: EarlierReport["conditions"]): string[] {
  const [ours, theirs] = [compared(now), compared(earlier)];
  return [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((name) => {
    const [a, b] = [ours.get(name), theirs.get(name)];
    return a === b ? [] : [`${name}: ${a ?? "not told"} now, ${b ?? "not told"} then`];
  });
}

/** Name to JSON. */
function compared(conditions: Conditions | EarlierReport["conditions"]): Map<string, string> {
  const all: Record<string, unknown> = { ...conditions };
  const sizes = Object.entries(conditions.sizes).map(([name, size]) => [`sizes.${name}`, size] as const);
  return new Map(
    [...COMPARED_CONDITIONS.map((name) => [name, all[name]] as const), ...sizes]
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, JSON.stringify(value)]),
  );
}
