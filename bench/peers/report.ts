/**
 * The comparison as a table and as an object.
 *
 * @module
 */
import type { PeerRow, Sizes } from "./comparison.ts";
import { WORK_TITLES } from "./work.ts";

export interface PeersReport {
  readonly conditions: {
    readonly time: string;
    readonly deno: string;
    readonly system: string;
    readonly cores: number;
    readonly folder: string;
    readonly sizes: Sizes;
  };
  readonly contenders: readonly ContenderLine[];
  readonly skipped: readonly Skipped[];
  readonly rows: readonly PeerRow[];
}

/** A line of the table. */
export interface ContenderLine {
  readonly name: string;
  readonly title: string;
  readonly durability: string;
}

export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

/** Markdown, so that it can be pasted. */
export function toText({ conditions, contenders, skipped, rows }: PeersReport): string {
  const { deno, system, cores, folder, sizes: { rounds, jobs } } = conditions;
  const works = [...new Set(rows.map(({ work }) => work))];
  const lines = contenders.map(({ name, title, durability }) => [
    title,
    durability,
    ...works.map((work) => cell(rows.find((row) => row.contender === name && row.work === work))),
  ]);
  return [
    table(["jobs/s (Daybook's rate to it)", "durability", ...works.map((work) => WORK_TITLES[work])], lines),
    "",
    ...skipped.map(({ name, reason }) => `Skipped: ${name}: ${reason}.`),
    `${jobs} no-op jobs each; of ${rounds} round(s), in which Daybook and each peer take turns, the one with the middle ratio.`,
    `Deno ${deno}, ${system}, ${cores} cores; files in ${folder}; client and server on the same machine.`,
  ].join("\n");
}

function cell(row: PeerRow | undefined): string {
  if (!row) return "";
  const rate = Math.round(row.per_second).toLocaleString("en");
  return row.daybook_ratio === null ? rate : `${rate} (${row.daybook_ratio.toFixed(2)} ×)`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
