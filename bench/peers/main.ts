/**
 * `deno task bench:peers`: Daybook beside other job systems that do the same work, in the same run, on the same disk.
 *
 * @module
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { bullmqDefaults, bullmqFsynced } from "./bullmq.ts";
import { compare, DAYBOOK, type PeerRow, type Sizes } from "./comparison.ts";
import type { Contender } from "./contender.ts";
import { daybook } from "./daybook.ts";
import { folderOption } from "../folder_option.ts";
import { graphileWorker } from "./graphile_worker.ts";
import { type ContenderLine, type PeersReport, type Skipped, toText } from "./report.ts";
import { WORK_NAMES } from "./work.ts";

const CANDIDATES = [bullmqFsynced, bullmqDefaults, graphileWorker];
const PEER_NAMES = CANDIDATES.map(({ name }) => name);
const NEEDS =
  "Needs redis-server on the PATH and PostgreSQL 15 (apt-get install redis-server postgresql-15); " +
  "starts its own, and skips a peer whose server is missing.";
const QUICK: Sizes = { rounds: 1, jobs: 300, warmUp: 50 };
const FULL_JOBS = 20_000;
const FULL_WARM_UP = 2_000;

interface Options {
  readonly json?: true;
  readonly quick?: true;
  readonly rounds: number;
  readonly only?: readonly string[];
  readonly dir?: string;
}

const { json, quick, rounds, only, dir } = new Command("deno task bench:peers")
  .description(`Measures Daybook beside BullMQ and Graphile Worker doing the same work.\n${NEEDS}`)
  .addOption(
    new Option(
      "--only <names>",
      `some of the peers ${PEER_NAMES.join(", ")} and the works ${WORK_NAMES.join(", ")}`,
    )
      .argParser(namesIn),
  )
  .addOption(new Option("--rounds <n>", "odd; the middle one is told").default(3).argParser(oddNumber))
  .option("--quick", "tiny numbers: whether everything works, not how fast it is")
  .addOption(folderOption("where all files are"))
  .option("--json", "one JSON object in place of the table")
  .parse(["deno", "bench:peers", ...Deno.args])
  .opts<Options>();

console.error(NEEDS);
const sizes = quick ? QUICK : { rounds, jobs: FULL_JOBS, warmUp: FULL_WARM_UP };
const { peers, skipped } = await findPeers();
if (peers.size === 0) {
  console.error("There is nothing to compare with.");
  Deno.exit(1);
}
const folder = await Deno.makeTempDir({ prefix: "daybook_peers_", ...(dir !== undefined && { dir }) });
// PostgreSQL's own user, where there is one, must get through to its folder.
await Deno.chmod(folder, 0o711);
try {
  const rows: PeerRow[] = [];
  for (const work of chosen(WORK_NAMES)) {
    console.error(`measuring ${work} …`);
    rows.push(...await compare(daybook, peers, work, sizes, folder));
  }
  const report: PeersReport = {
    conditions: {
      time: new Date().toISOString(),
      deno: Deno.version.deno,
      system: `${Deno.build.os} ${Deno.build.arch}`,
      cores: navigator.hardwareConcurrency,
      folder,
      sizes,
    },
    contenders: [line(DAYBOOK, daybook), ...[...peers].map(([name, peer]) => line(name, peer))],
    skipped,
    rows,
  };
  console.log(json ? JSON.stringify(report, null, 2) : toText(report));
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function findPeers(): Promise<{ peers: Map<string, Contender>; skipped: Skipped[] }> {
  const peers = new Map<string, Contender>();
  const skipped: Skipped[] = [];
  const names = chosen(PEER_NAMES);
  for (const { name, find } of CANDIDATES.filter(({ name }) => names.includes(name))) {
    const found = await find();
    if ("missing" in found) {
      console.error(`skipping ${name}: ${found.missing}`);
      skipped.push({ name, reason: found.missing });
    } else peers.set(name, found);
  }
  return { peers, skipped };
}

function line(name: string, { title, durability }: Contender): ContenderLine {
  return { name, title, durability };
}

/** Those that `--only` names, or all where it names none of this kind. */
function chosen<Name extends string>(names: readonly Name[]): readonly Name[] {
  const some = names.filter((name) => only?.includes(name));
  return some.length > 0 ? some : names;
}

function namesIn(list: string): readonly string[] {
  const names = list.split(",").map((name) => name.trim());
  const known: readonly string[] = [...PEER_NAMES, ...WORK_NAMES];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(`There is no peer or work '${unknown}'.`);
}

function oddNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number % 2 === 1) return number;
  throw new InvalidArgumentError("It must be an odd number.");
}
