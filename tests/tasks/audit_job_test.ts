/**
 * `deno task audit history`, `prove` and `check` as an auditor runs them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { decodeEvent } from "../../src/events/event.ts";
import { readEvents } from "../../src/events/event_page.ts";
import { formatVerifierKey } from "../../src/events/merkle/signed_note.ts";
import { seal } from "../audit/support/sealed.ts";
import { audit, throughKv, withFile } from "./support/audit_runs.ts";

/** The job with the most events but no long history. */
async function someJob(path: string): Promise<{ id: string; events: number }> {
  const counts = new Map<string, number>();
  for (const bytes of await throughKv(path, (store) => readEvents(store, 0, 0, 1e6))) {
    const { stream } = decodeEvent(bytes);
    counts.set(stream, (counts.get(stream) ?? 0) + 1);
  }
  const [stream, events] = [...counts].filter(([, n]) => n < 50).sort(([, a], [, b]) => b - a)[0]!;
  return { id: stream.slice("job/".length), events };
}

Deno.test("audit prove writes a file that audit check verifies with the key alone, and refuses when it is changed", async () => {
  await withFile(async (path) => {
    const { key } = await throughKv(path, (store) => seal(store));
    const { id, events } = await someJob(path);
    const file = `${path}.proof`;
    const proved = await audit(["prove", id, "--kv", path, "--out", file]);
    assertEquals(proved.code, 0, proved.err);
    assert(
      proved.out.startsWith(`${file} proves ${events} events of job ${id} by the checkpoint of`),
      proved.out,
    );
    await Deno.remove(path);

    const args = ["check", file, "--key", formatVerifierKey(key)];
    const checked = await audit(args);
    assertEquals(checked.code, 0, checked.err);
    assert(
      checked.out.includes(`The proof holds: ${events} events of job ${id}, version 1 to ${events}`),
      checked.out,
    );
    const json = JSON.parse((await audit([...args, "--json"])).out);
    assertEquals([json.holds, json.complete_to_version, json.events.length, json.wrong], [
      true,
      events,
      events,
      [],
    ]);

    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, text.replace("tester", "nobody"));
    const forged = await audit(args);
    assertEquals(forged.code, 1);
    assert(forged.out.includes("The proof does not hold:"), forged.out);
    assert(
      /the event at position \d+ is not in the log that the checkpoint sealed/.test(forged.out),
      forged.out,
    );
  });
});

Deno.test("audit history prints a job's timeline, its events as JSON, or its path as Mermaid", async () => {
  await withFile(async (path) => {
    const { id, events } = await someJob(path);
    const text = await audit(["history", id, "--kv", path]);
    assertEquals(text.code, 0, text.err);
    assert(text.out.startsWith(`Job ${id}: mail in queue `), text.out);
    assertEquals(text.out.trimEnd().split("\n").length, events + 2);
    assert(text.out.includes("job.created"), text.out);
    const json = JSON.parse((await audit(["history", id, "--kv", path, "--json"])).out);
    assertEquals(
      json.events.map(({ version }: { version: number }) => version),
      Array.from({ length: events }, (_, i) => i + 1),
    );
    assertEquals(json.events[0].actor, "tester");
    const drawn = await audit(["history", id, "--kv", path, "--mermaid"]);
    assert(drawn.out.startsWith("stateDiagram-v2\n"), drawn.out);
    assert(drawn.out.includes("[*] --> queued_"), drawn.out);
  });
});

Deno.test("audit history, prove and check exit 2 with a line that says why when they cannot do it", async () => {
  await withFile(async (path) => {
    const { id } = await someJob(path);
    await Deno.writeTextFile(`${path}.text`, "nonsense");
    const someKey = ["--key", "log+1d4c7a00+AAAA"];
    const cases: [string[], string][] = [
      [["history", "nobody", "--kv", path], "There is no job nobody in log"],
      [["prove", "nobody", "--kv", path], "There is no job nobody in log"],
      [["prove", id, "--kv", path], "are not sealed yet"],
      [["history", id, "--kv", `${path}.none`], "there is no such file"],
      [["history"], "error: missing required argument"],
      [["check", `${path}.text`, ...someKey], "It is no Ed25519 verifier key"],
      [["check", `${path}.text`], "--key"],
      [["check", `${path}.none`, "--key", `${path}.none`], "Cannot read the key"],
    ];
    for (const [args, message] of cases) {
      const { code, out, err } = await audit(args);
      assertEquals([code, out], [2, ""], args.join(" "));
      assert(err.includes(message), err);
    }
    const { key } = await throughKv(path, (store) => seal(store));
    const taken = await audit(["prove", id, "--kv", path, "--out", `${path}.text`]);
    assertEquals([taken.code, taken.err], [
      2,
      `${path}.text is there already: name another file with --out\n`,
    ]);
    const none = await audit(["check", `${path}.text`, "--key", formatVerifierKey(key)]);
    assertEquals(none.code, 2);
    assert(none.err.includes("It is no proof"), none.err);
  });
});
