import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { bullmqDefaults, bullmqFsynced } from "../../bench/peers/bullmq.ts";
import { compare } from "../../bench/peers/comparison.ts";
import type { Candidate, Contender } from "../../bench/peers/contender.ts";
import { daybook } from "../../bench/peers/daybook.ts";
import { graphileWorker } from "../../bench/peers/graphile_worker.ts";
import { serveJobs, TOKEN } from "../../bench/peers/http_front.ts";
import { LocalServer } from "../../bench/peers/local_server.ts";
import { frontAt, post } from "../../bench/peers/posted.ts";
import { type PeersReport, toText } from "../../bench/peers/report.ts";
import { type JobSystem, WORK_NAMES } from "../../bench/peers/work.ts";
import { runTask } from "../support/task_run.ts";
import { withTempDir } from "../support/temp_dir.ts";

const CANDIDATES = [bullmqFsynced, bullmqDefaults, graphileWorker];

async function whyMissing({ find }: Candidate): Promise<string | undefined> {
  const found = await find();
  return "missing" in found ? found.missing : undefined;
}

const peers = (...args: string[]) => runTask("bench:peers", args);

/** Serves the system for as long as the test takes. */
async function withFront(
  system: Pick<JobSystem, "add" | "counts">,
  test: (port: number) => Promise<void>,
): Promise<void> {
  const { server, port } = await serveJobs(system as JobSystem);
  try {
    await test(port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Takes these rates in turn, and notes each measurement. */
function scripted(title: string, rates: number[], order: string[]): Contender {
  return {
    title,
    durability: "none",
    measure: ({ jobs }) => {
      order.push(title);
      return Promise.resolve({ per_second: rates.shift()!, asked: jobs, done: jobs });
    },
  };
}

Deno.test("compare() measures Daybook before each peer, and tells the round with the middle ratio", () =>
  withTempDir(async (dir) => {
    const order: string[] = [];
    // Before a: 100, 400, 300; before b: 200, 200, 200.
    const own = scripted("own", [100, 200, 400, 200, 300, 200], order);
    const others = new Map([
      ["a", scripted("a", [100, 100, 100], order)],
      ["b", scripted("b", [100, 400, 50], order)],
    ]);
    const rows = await compare(own, others, "in_flight", { rounds: 3, jobs: 7, warmUp: 1 }, dir);
    assertEquals(order, Array(3).fill(["own", "a", "own", "b"]).flat());
    assertEquals(rows.map((row) => [row.contender, row.per_second, row.daybook_ratio]), [
      ["daybook", 200, null],
      ["a", 100, 3],
      ["b", 100, 2],
    ]);
    assertEquals([...Deno.readDirSync(dir)], [], "it leaves no file behind");
  }));

Deno.test("a comparison in which jobs were lost is an error, whoever lost them", () =>
  withTempDir(async (dir) => {
    const well = scripted("well", [100], []);
    const lossy: Contender = {
      ...scripted("lossy", [], []),
      measure: ({ jobs }) => Promise.resolve({ per_second: 1, asked: jobs, done: jobs - 1 }),
    };
    const sizes = { rounds: 1, jobs: 7, warmUp: 1 };
    for (const [own, other] of [[well, lossy], [lossy, well]] as const) {
      const compared = compare(own, new Map([["other", other]]), "posted", sizes, dir);
      await assertRejects(() => compared, Error, "lossy, posted: 7 were asked for, 6 are done");
    }
  }));

Deno.test("toText() names versions and durability, Daybook's ratio to each rate, and who was skipped", () => {
  const row = { work: "batches", asked: 7, done: 7 } as const;
  const text = toText({
    conditions: {
      time: "",
      deno: "2",
      system: "linux",
      cores: 2,
      folder: "/tmp",
      sizes: { rounds: 3, jobs: 7, warmUp: 1 },
    },
    contenders: [
      { name: "daybook", title: "Daybook 0.1.0", durability: "each commit fsynced" },
      { name: "a", title: "A 1.2 on B 3", durability: "none" },
    ],
    skipped: [{ name: "c", reason: "there is no server" }],
    rows: [
      { ...row, contender: "daybook", per_second: 3_000, daybook_ratio: null },
      { ...row, contender: "a", per_second: 1_500, daybook_ratio: 2 },
    ],
  });
  assert(/\| Daybook 0\.1\.0 +\| each commit fsynced \| 3,000 +\|/.test(text), text);
  assert(/\| A 1\.2 on B 3 +\| none +\| 1,500 \(2\.00 ×\) +\|/.test(text), text);
  assertStringIncludes(text, "Skipped: c: there is no server.");
});

Deno.test("a server that does not get ready is an error that tells what it said", () =>
  withTempDir(async (dir) => {
    const args = ["eval", "console.log('no room'); Deno.exit(3)"];
    const start = () => LocalServer.start({ command: Deno.execPath(), args, cwd: dir, endSignal: "SIGKILL" });
    await assertRejects(start, Error, "no room");
  }));

Deno.test("Daybook's client does every work and loses no job", async () => {
  for (const work of WORK_NAMES) {
    await withTempDir(async (dir) => {
      const { asked, done, per_second } = await daybook.measure({ work, jobs: 120, warmUp: 10 }, dir);
      assertEquals([asked, done], [120, 120], work);
      assert(per_second > 0);
    });
  }
});

for (const candidate of CANDIDATES) {
  const missing = await whyMissing(candidate);
  const promise = `bench:peers measures ${candidate.name} beside Daybook in every work, and loses no job`;
  Deno.test({
    name: missing === undefined ? promise : `${promise} [skipped: ${missing}]`,
    ignore: missing !== undefined,
    fn: () =>
      withTempDir(async (dir) => {
        await Deno.chmod(dir, 0o711);
        const { code, out, err } = await peers("--quick", "--json", "--only", candidate.name, "--dir", dir);
        assertEquals(code, 0, err);
        const { contenders, rows, conditions }: PeersReport = JSON.parse(out);
        assertEquals(contenders.map(({ name }) => name), ["daybook", candidate.name]);
        assert(/ \d+\.\d+\.\d+ on \w+ \d+\.\d+/.test(contenders[1]!.title), contenders[1]!.title);
        assertEquals(
          rows.map(({ contender, work }) => `${contender} ${work}`),
          WORK_NAMES.flatMap((work) => [`daybook ${work}`, `${candidate.name} ${work}`]),
        );
        for (const { contender, asked, done, per_second, daybook_ratio } of rows) {
          assertEquals([asked, done], [conditions.sizes.jobs, conditions.sizes.jobs]);
          assert(per_second > 0);
          assert(contender === "daybook" ? daybook_ratio === null : daybook_ratio! > 0);
        }
        assertEquals([...Deno.readDirSync(dir)], [], "it leaves no file behind");
      }),
  });
}

Deno.test("bench:peers refuses a peer that it does not know, and an even number of rounds", async () => {
  const { code, err } = await peers("--only", "everything");
  assertEquals(code, 1);
  assertStringIncludes(err, "There is no peer or work 'everything'");
  assertEquals((await peers("--rounds", "2")).code, 1);
});

Deno.test("bench:peers --help says what it needs, and how to install it", async () => {
  const { code, out } = await peers("--help");
  assertEquals(code, 0);
  assertStringIncludes(out.replaceAll(/\s+/g, " "), "apt-get install redis-server postgresql-15");
  for (const { name } of CANDIDATES) assertStringIncludes(out, name);
});

Deno.test("serveJobs() takes jobs with its token only, checks them, and answers what the system counts", async () => {
  const added: unknown[] = [];
  const system = {
    add: (payload: unknown) => Promise.resolve(String(added.push(payload))),
    counts: () => Promise.resolve({ waiting: added.length, completed: 0 }),
  };
  await withFront(system, async (port) => {
    const url = `http://127.0.0.1:${port}/`;
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const send = async (body: string, sent: Record<string, string> = headers) => {
      const response = await fetch(url, { method: "POST", headers: sent, body });
      return [response.status, await response.json()];
    };
    const job = { job_type: "noop", payload: { n: 7 } };
    assertEquals(await send(JSON.stringify(job)), [201, { id: "1", ...job, status: "queued" }]);
    for (const token of ["", "other", "x".repeat(TOKEN.length)]) {
      assertEquals((await send(JSON.stringify(job), { Authorization: `Bearer ${token}` }))[0], 401, token);
    }
    assertEquals((await send(JSON.stringify(job), {}))[0], 401);
    const wrong = [1, null, [1]].map((payload) => JSON.stringify({ job_type: "noop", payload }));
    for (const body of ["", "nonsense", "null", "{}", '{"job_type":1,"payload":{}}', ...wrong]) {
      assertEquals((await send(body))[0], 422, body);
    }
    const other = await fetch(url, { method: "DELETE", headers });
    assertEquals([other.status, Object.keys(await other.json())], [405, ["error"]]);
    assertEquals(added, [{ n: 7 }]);
    const counts = await fetch(url, { headers });
    assertEquals([counts.status, await counts.json()], [200, { waiting: 1, completed: 0 }]);
  });
});

Deno.test("post() warms up with as many jobs as it measures, and counts only those that it measured", async () => {
  let waiting = 5;
  const system = {
    add: () => Promise.resolve(String(waiting++)),
    counts: () => Promise.resolve({ waiting, completed: 0 }),
  };
  await withFront(system, async (port) => {
    const { asked, done, per_second } = await post(frontAt(port), { work: "posted", jobs: 70, warmUp: 1 });
    assertEquals([asked, done, waiting], [70, 70, 145]);
    assert(per_second > 0);
  });
});
