import { assert, assertEquals } from "@std/assert";
import type { Report } from "../../bench/report.ts";
import { runTask } from "../support/task_run.ts";

const NAMES = [
  "commit",
  "idle",
  "in_flight_64",
  "in_flight_512",
  "added",
  "drained_10",
  "drained_100",
  "http_create",
  "server_idle",
  "http_batch",
  "start",
  "start_after_kill",
  "million_waiting",
  "get",
  "list",
  "list_status",
  "list_filters",
  "list_tag",
  "list_tag_status",
  "list_scan",
  "stats",
  "replay",
  "verify",
  "replay_waiting",
];

const bench = (...args: string[]) => runTask("bench", args);

/** Every number anywhere in the value, with its path. */
function numbersIn(value: unknown, path = ""): [string, number][] {
  if (typeof value === "number") return [[path, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => numbersIn(member, `${path}/${key}`));
}

Deno.test("bench --quick --json tells every figure, none of them zero, and loses no job", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const { code, out, err } = await bench("--quick", "--json", "--dir", dir);
    assertEquals(code, 0, err);
    const { conditions, rows }: Report = JSON.parse(out);
    assertEquals(rows.map(({ name }) => name), NAMES);
    for (const row of rows) {
      assertEquals(row.done, row.asked, row.name);
      for (const [path, value] of numbersIn(row)) assert(value > 0, `${row.name}${path} is ${value}`);
      assert(row.per_second !== null || row.latency_ms !== null || row.memory_mb !== null, row.name);
    }
    assertEquals(conditions.deno, Deno.version.deno);
    assert(conditions.cores > 0);
    assertEquals([...Deno.readDirSync(dir)], [], "it leaves no file behind");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("bench --only measures what it names and tells ratios in a table", async () => {
  const { code, out, err } = await bench("--quick", "--only", "added");
  assertEquals(code, 0, err);
  assert(/added one by one.* % of raw commits/.test(out), out);
  assert(!out.includes("drained,"), out);
});

Deno.test("bench refuses a measurement that it does not know, and names those that it does", async () => {
  const { code, err } = await bench("--only", "everything");
  assertEquals(code, 1);
  assert(err.includes("There is no measurement 'everything'"), err);
  assert((await bench("--help")).out.includes("in_flight_64"));
});

Deno.test("bench refuses a folder that is not there, or is none, before it measures anything", async () => {
  const file = await Deno.makeTempFile();
  try {
    for (const dir of [`${file}.none`, file]) {
      const { code, out, err } = await bench("--dir", dir);
      assertEquals([code, out], [1, ""]);
      assert(err.includes(`option '--dir <folder>' argument '${dir}' is invalid`), err);
      assert(!err.includes("    at "), err);
    }
  } finally {
    await Deno.remove(file);
  }
});
