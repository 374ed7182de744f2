/**
 * The table for people and the object for programs.
 *
 * @module
 */
import type { Latency, Memory, Reference, Row, Sizes } from "./measurement.ts";

/** Under which conditions the figures were taken; without them they say nothing. */
export interface Conditions {
  readonly time: string;
  readonly deno: string;
  readonly v8: string;
  readonly system: string;
  readonly cores: number;
  readonly log_level: string;
  readonly durability: string;
  readonly folder: string;
  readonly sizes: Sizes;
}

export interface Report {
  readonly conditions: Conditions;
  readonly rows: readonly Row[];
  readonly comparison?: Comparison;
}

/** This run beside an earlier one. */
export interface Comparison {
  readonly earlier_time: string;
  /** Conditions that were not the same: the figures then say little about what lies between the runs. */
  readonly differences: readonly string[];
  readonly rows: readonly RowComparison[];
  /** Names of rows that only one of the runs has. */
  readonly only_now: readonly string[];
  readonly only_earlier: readonly string[];
}

/** This run's figures divided by the earlier one's; `null` where one of them does not tell. */
export interface RowComparison {
  readonly name: string;
  readonly per_second: number | null;
  readonly latency_ms: Latency | null;
  readonly memory_mb: Memory | null;
  /** Of the two ratios to the same reference, each taken in its own run: noise of the machine cancels out. */
  readonly reference_ratio: number | Latency | null;
}

export function conditions(folder: string, sizes: Sizes): Conditions {
  return {
    time: new Date().toISOString(),
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    system: `${Deno.build.os} ${Deno.build.arch}`,
    cores: navigator.hardwareConcurrency,
    log_level: "WARNING in the server, none in process",
    durability: "each commit is fsynced before it is answered",
    folder,
    sizes,
  };
}

export function toText({ conditions, rows, comparison }: Report): string {
  const { deno, v8, system, cores, log_level, durability, folder, sizes } = conditions;
  const cells = rows.map((row) => [
    row.what,
    row.reference ? `${ratio(row.reference)} ${row.reference.what}` : "",
    row.per_second === null ? "" : rate(row.per_second),
    row.reference?.per_second ? rate(row.reference.per_second) : "",
    row.latency_ms ? span(row.latency_ms) : "",
    row.memory_mb ? memory(row.memory_mb) : "",
    ...(comparison ? compared(comparison, row) : []),
  ]);
  const head = ["what", "ratio", "per s", "compared with", "p50 / p99 ms", "MB"];
  return [
    table([...head, ...(comparison ? ["ratio now / then", "rate now / then", "MB now / then"] : [])], cells),
    "",
    ...(comparison ? differences(comparison) : []),
    `Deno ${deno}, V8 ${v8}, ${system}, ${cores} cores; files in ${folder}; ${durability}.`,
    `Log level: ${log_level}. Each job in process: a no-op, ${sizes.jobs} or ${sizes.waiting} a round,`,
    `${sizes.requests} HTTP requests a round; of ${sizes.rounds} round(s) the one with the middle ratio.`,
    "MB: resident memory of the process that did the work, then its peak; in process all rows share one.",
    "A machine is noisy: compare ratios, not rates.",
  ].join("\n");
}

function compared({ rows }: Comparison, { name }: Row): string[] {
  const found = rows.find((row) => row.name === name);
  if (!found) return ["not then", "", ""];
  return [
    times(found.reference_ratio),
    times(found.per_second ?? found.latency_ms),
    found.memory_mb ? memoryTimes(found.memory_mb) : "",
  ];
}

function times(ratio: number | Latency | null): string {
  if (ratio === null) return "";
  return typeof ratio === "number"
    ? `${ratio.toFixed(2)} ×`
    : `p50 ${ratio.p50.toFixed(2)} × / p99 ${ratio.p99.toFixed(2)} ×`;
}

function memoryTimes({ now, peak }: Memory): string {
  return peak === null ? times(now) : `${times(now)} / ${times(peak)}`;
}

function differences({ earlier_time, differences, only_now, only_earlier }: Comparison): string[] {
  return [
    `Then: ${earlier_time}. A rate now / then above 1 is faster, a latency above 1 slower, MB above 1 more.`,
    ...differences.map((difference) => `WARNING: not the same conditions: ${difference}`),
    ...(only_now.length > 0 ? [`Only now: ${only_now.join(", ")}.`] : []),
    ...(only_earlier.length > 0 ? [`Only then: ${only_earlier.join(", ")}.`] : []),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd();
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

function ratio({ ratio }: Reference): string {
  return typeof ratio === "number"
    ? `${(ratio * 100).toFixed(0)} % of`
    : `${ratio.p50.toFixed(2)} × / ${ratio.p99.toFixed(2)} ×`;
}

function rate(perSecond: number): string {
  return Math.round(perSecond).toLocaleString("en");
}

function span({ p50, p99 }: Latency): string {
  return `${p50.toFixed(2)} / ${p99.toFixed(2)}`;
}

function memory({ now, peak }: Memory): string {
  return peak === null ? now.toFixed(0) : `${now.toFixed(0)} / ${peak.toFixed(0)}`;
}
