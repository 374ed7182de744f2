import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { compareReports, NotABenchReportError, readReport } from "../../bench/compare.ts";
import { QUICK, type Row, row } from "../../bench/measurement.ts";
import { type Conditions, conditions, type Report, toText } from "../../bench/report.ts";
import { runTask } from "../support/task_run.ts";
import { withTempDir } from "../support/temp_dir.ts";

const RAW = "raw commits of the same bytes";

function rateRow(name: string, perSecond: number, rawPerSecond: number, what = RAW): Row {
  return row(name, name, {
    asked: 1,
    done: 1,
    per_second: perSecond,
    reference: { what, per_second: rawPerSecond, latency_ms: null, ratio: perSecond / rawPerSecond },
  });
}

function latencyRow(p50: number, p99: number, raw: number): Row {
  return row("idle", "idle", {
    asked: 1,
    done: 1,
    latency_ms: { p50, p99 },
    reference: {
      what: "one raw commit",
      per_second: null,
      latency_ms: { p50: raw, p99: raw },
      ratio: { p50: p50 / raw, p99: p99 / raw },
    },
  });
}

function memoryRow(now: number, peak: number | null): Row {
  return row("server_idle", "server_idle", { asked: 1, done: 1, memory_mb: { now, peak } });
}

function report(rows: Row[], changed: Partial<Conditions> = {}): Report {
  return { conditions: { ...conditions("/tmp", QUICK), ...changed }, rows };
}

function withFile(content: string, test: (path: string) => Promise<void>): Promise<void> {
  return withTempDir(async (dir) => {
    const path = join(dir, "earlier.json");
    await Deno.writeTextFile(path, content);
    await test(path);
  });
}

const bench = (...args: string[]) => runTask("bench", args);

Deno.test("compareReports() divides rates, and ratios to the reference, by those of the earlier run", () => {
  // The machine is half as fast now, Daybook a quarter: it lost half against the raw commits.
  const now = report([rateRow("added", 2_500, 10_000)]);
  const earlier = report([rateRow("added", 10_000, 20_000)]);
  const { rows } = compareReports(now, earlier);
  assertEquals(rows, [{
    name: "added",
    per_second: 0.25,
    latency_ms: null,
    memory_mb: null,
    reference_ratio: 0.5,
  }]);
});

Deno.test("compareReports() divides the two percentiles of a latency apart", () => {
  const { rows } = compareReports(report([latencyRow(3, 8, 1)]), report([latencyRow(2, 4, 2)]));
  assertEquals(rows, [{
    name: "idle",
    per_second: null,
    latency_ms: { p50: 1.5, p99: 2 },
    memory_mb: null,
    reference_ratio: { p50: 3, p99: 4 },
  }]);
});

Deno.test("compareReports() divides the memory of a row and its peak apart, as far as both runs tell them", () => {
  const compared = (earlierPeak: number | null) =>
    compareReports(report([memoryRow(90, 150)]), report([memoryRow(60, earlierPeak)])).rows[0]?.memory_mb;
  assertEquals(compared(200), { now: 1.5, peak: 0.75 });
  assertEquals(compared(null), { now: 1.5, peak: null });
});

Deno.test("compareReports() gives no ratio of ratios to references that are not the same", () => {
  const now = report([rateRow("added", 10, 20, "a bare server")]);
  const { rows: [found] } = compareReports(now, report([rateRow("added", 10, 20)]));
  assertEquals([found?.per_second, found?.reference_ratio], [1, null]);
});

Deno.test("compareReports() gives no ratio to a row that told nothing or zero", () => {
  const now = report([rateRow("added", 10, 20)]);
  for (const perSecond of [null, 0]) {
    const earlier = report([{ ...rateRow("added", 10, 20), per_second: perSecond }]);
    assertEquals(compareReports(now, earlier).rows[0]?.per_second, null);
  }
});

Deno.test("compareReports() names the rows that only one of the runs has", () => {
  const now = report([rateRow("added", 1, 1), rateRow("replay", 1, 1)]);
  const earlier = report([rateRow("lists", 1, 1), rateRow("added", 1, 1)]);
  const { rows, only_now, only_earlier } = compareReports(now, earlier);
  assertEquals(rows.map(({ name }) => name), ["added"]);
  assertEquals([only_now, only_earlier], [["replay"], ["lists"]]);
});

Deno.test("compareReports() warns of conditions that differ, but not of the time or the folder", () => {
  const then = { time: "2020-01-01T00:00:00.000Z", folder: "/elsewhere" };
  assertEquals(compareReports(report([]), report([], then)).differences, []);

  const { deno, cores } = conditions("/tmp", QUICK);
  const others = { ...then, deno: "1.0.0", cores: cores + 1, sizes: { ...QUICK, jobs: QUICK.jobs + 1 } };
  assertEquals(compareReports(report([]), report([], others)).differences, [
    `deno: "${deno}" now, "1.0.0" then`,
    `cores: ${cores} now, ${cores + 1} then`,
    `sizes.jobs: ${QUICK.jobs} now, ${QUICK.jobs + 1} then`,
  ]);
});

Deno.test("toText() prints the ratios to an earlier run beside each row, and what cannot be compared", () => {
  const now = report([
    ...[rateRow("added", 2_500, 10_000), rateRow("replay", 1, 1), latencyRow(3, 8, 1)],
    memoryRow(90, 150),
  ]);
  const earlier = report([
    ...[rateRow("added", 10_000, 20_000), latencyRow(2, 4, 2), rateRow("lists", 1, 1)],
    memoryRow(60, 200),
  ], { cores: 99 });
  const text = toText({ ...now, comparison: compareReports(now, earlier) });
  const line = (start: string) => text.split("\n").find((line) => line.startsWith(start)) ?? "";
  assert(/0\.50 × +0\.25 ×$/.test(line("added")), text);
  assert(/p50 3\.00 × \/ p99 4\.00 × +p50 1\.50 × \/ p99 2\.00 ×$/.test(line("idle")), text);
  assert(/90 \/ 150 +1\.50 × \/ 0\.75 ×$/.test(line("server_idle")), text);
  assert(line("replay").endsWith("not then"), text);
  assertStringIncludes(text, "WARNING: not the same conditions: cores:");
  assertStringIncludes(text, "Only now: replay.");
  assertStringIncludes(text, "Only then: lists.");
  assert(!toText(now).includes("now / then"));
});

Deno.test("readReport() reads what was written, also where a later version has added to it", async () => {
  const written = {
    ...report([rateRow("added", 10, 20), latencyRow(1, 2, 1), memoryRow(1, 1)]),
    comparison: {},
    later: true,
  };
  await withFile(JSON.stringify(written), async (path) => {
    const now = report([rateRow("added", 10, 20), memoryRow(3, 3)]);
    const { rows: [added, idle] } = compareReports(now, await readReport(path));
    assertEquals([added?.per_second, idle?.memory_mb], [1, { now: 3, peak: 3 }]);
  });
});

for (
  const [kind, content, reason] of [
    ["no JSON", "| a table |", "JSON"],
    ["JSON of something else", '{"name": "daybook"}', "conditions"],
    ["a report of the wrong type", '{"conditions": {}, "rows": 1}', "conditions"],
  ] as const
) {
  Deno.test(`readReport() refuses a file with ${kind}, and names the file and the fault`, async () => {
    await withFile(content, async (path) => {
      const error = await assertRejects(() => readReport(path), NotABenchReportError);
      assertStringIncludes(error.message, path);
      assertStringIncludes(error.message, reason);
    });
  });
}

Deno.test("bench --compare refuses a file that is missing before it measures anything", async () => {
  const { code, out, err } = await bench("--compare", "/nowhere/earlier.json");
  assertEquals(code, 1);
  assertStringIncludes(err, "/nowhere/earlier.json is not a report of deno task bench --json");
  assert(!err.includes("measuring"), err);
  assertEquals(out.length, 0);
});

Deno.test("bench --compare --json has the comparison in the object", async () => {
  await withFile(JSON.stringify(report([rateRow("added", 10, 20)])), async (path) => {
    const { code, out, err } = await bench(
      ...["--quick", "--json", "--only", "added", "--compare", path],
    );
    assertEquals(code, 0, err);
    const { rows: [row], comparison }: Report = JSON.parse(out);
    assertEquals(comparison?.differences, []);
    assertEquals(comparison?.rows[0]?.per_second, row!.per_second! / 10);
  });
});
