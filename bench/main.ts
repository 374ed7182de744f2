/**
 * `deno task bench`: how fast Daybook is on this machine, as ratios to what the same machine does without it.
 *
 * @module
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { join } from "node:path";
import { added } from "./added.ts";
import { compareReports, NotABenchReportError, readReport } from "./compare.ts";
import { drained } from "./drained.ts";
import { folderOption } from "./folder_option.ts";
import { httpBatch } from "./http_batch.ts";
import { httpCreate } from "./http_create.ts";
import { idle } from "./idle.ts";
import { inFlight } from "./in_flight.ts";
import { largeLog } from "./large_log.ts";
import { FULL, type Measurement, QUICK, type Row } from "./measurement.ts";
import { replay } from "./replay.ts";
import { conditions, toText } from "./report.ts";

const MEASUREMENTS: readonly Measurement[] = [
  idle,
  inFlight(64),
  inFlight(512),
  added(64),
  drained(10),
  drained(100),
  httpCreate,
  httpBatch,
  largeLog,
  replay,
];
const NAMES = MEASUREMENTS.map(({ name }) => name);

interface Options {
  readonly json?: true;
  readonly quick?: true;
  readonly only?: readonly string[];
  readonly dir?: string;
  readonly compare?: string;
}

const command = new Command("deno task bench")
  .description(
    "Measures Daybook's speed on temporary files, as ratios to raw Deno KV commits in the same run.",
  )
  .addOption(new Option("--only <names>", `some of ${NAMES.join(", ")}`).argParser(namesIn))
  .option("--quick", "tiny numbers: whether everything works, not how fast it is")
  .addOption(folderOption("where the temporary files are"))
  .option("--compare <file>", "print ratios to an earlier run, whose --json output is in the file")
  .option("--json", "one JSON object in place of the table")
  .parse(["deno", "bench", ...Deno.args]);
const { json, quick, only, dir, compare } = command.opts<Options>();

const earlier = compare === undefined ? undefined : await readReport(compare).catch(refuse);
const sizes = quick ? QUICK : FULL;
const folder = await Deno.makeTempDir({ prefix: "daybook_bench_", ...(dir !== undefined && { dir }) });
try {
  const rows: Row[] = [];
  for (const { name, measure } of MEASUREMENTS) {
    if (only && !only.includes(name)) continue;
    console.error(`measuring ${name} …`);
    const own = join(folder, name);
    await Deno.mkdir(own);
    rows.push(...await measure({ dir: own, sizes }));
    await Deno.remove(own, { recursive: true });
  }
  const found = { conditions: conditions(folder, sizes), rows };
  const report = earlier ? { ...found, comparison: compareReports(found, earlier) } : found;
  console.log(json ? JSON.stringify(report, null, 2) : toText(report));
} finally {
  await Deno.remove(folder, { recursive: true });
}

function refuse(error: unknown): never {
  if (error instanceof NotABenchReportError) command.error(error.message);
  throw error;
}

function namesIn(list: string): readonly string[] {
  const names = list.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !NAMES.includes(name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(`There is no measurement '${unknown}'.`);
}
