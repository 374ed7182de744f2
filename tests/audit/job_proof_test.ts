/**
 * Proofs of one job: what they need, and that nothing in them can be changed.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { UnknownJobError } from "../../src/audit/job_history.ts";
import { checkProof, type JobProof, parseProof, ProofError, proveJob } from "../../src/audit/job_proof.ts";
import { decodeEvent } from "../../src/events/event.ts";
import { readEvents } from "../../src/events/event_page.ts";
import type { Store } from "../../src/events/store.ts";
import { anyLog, storeOf } from "./support/random_log.ts";
import { seal } from "./support/sealed.ts";

const STEPS = fc.sample(anyLog, { numRuns: 1, seed: 11 })[0]!;

async function jobsIn(store: Store): Promise<Map<string, number>> {
  const jobs = new Map<string, number>();
  for (const bytes of await readEvents(store, 0, 0, 1e6)) {
    const id = decodeEvent(bytes).stream.slice("job/".length);
    jobs.set(id, (jobs.get(id) ?? 0) + 1);
  }
  return jobs;
}

Deno.test("every job of any sealed log can be proved, deleted ones too, and the proof holds with the key", async () => {
  await fc.assert(
    fc.asyncProperty(anyLog, async (steps) => {
      const { store } = await storeOf(steps);
      const jobs = await jobsIn(store);
      fc.pre(jobs.size > 0);
      const { key, size } = await seal(store);
      for (const [id, events] of jobs) {
        const { proof, unsealed } = await proveJob(store, id);
        const verdict = checkProof(parseProof(JSON.stringify(proof)), [key]);
        assertEquals([verdict.wrong, verdict.events.length, unsealed], [[], events, 0]);
        assertEquals(verdict.checkpoint.size, size);
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("a proof of which any character is changed does not hold, or says the same as before", async () => {
  const { store } = await storeOf(STEPS);
  const { key } = await seal(store);
  const [[id]] = [...await jobsIn(store)].filter(([, events]) => events > 2 && events < 8) as [
    [string, number],
  ];
  const { proof } = await proveJob(store, id);
  const text = JSON.stringify(proof);
  let refused = 0;
  for (let at = 0; at < text.length; at++) {
    const changed = text.slice(0, at) + (text[at] === "7" ? "8" : "7") + text.slice(at + 1);
    let parsed: JobProof;
    try {
      parsed = parseProof(changed);
      if (checkProof(parsed, [key]).wrong.length > 0) refused += 1;
      else assertEquals(parsed, proof, `changed at ${at}`);
    } catch (error) {
      assert(error instanceof ProofError, `${error}`);
      refused += 1;
    }
  }
  assertEquals(refused, text.length);
});

Deno.test("events that are left out, exchanged, repeated or of another job are seen", async () => {
  const { store } = await storeOf(STEPS);
  const { key } = await seal(store);
  const jobs = [...await jobsIn(store)].filter(([, events]) => events > 2).map(([id]) => id);
  const [{ proof }, { proof: other }] = [await proveJob(store, jobs[0]!), await proveJob(store, jobs[1]!)];
  const { events } = proof;
  const forged: Record<string, JobProof> = {
    "first left out": { ...proof, events: events.slice(1) },
    "middle left out": { ...proof, events: events.toSpliced(1, 1) },
    "exchanged": { ...proof, events: events.toReversed() },
    "repeated": { ...proof, events: [...events, events.at(-1)!] },
    "of another job": { ...proof, events: other.events },
    "in another job's name": { ...proof, job_id: other.job_id },
    "in another log's name": { ...proof, log_id: "another" },
  };
  for (const [name, each] of Object.entries(forged)) {
    assert(checkProof(each, [key]).wrong.length > 0, name);
  }
});

Deno.test("a proof that another key signed does not hold", async () => {
  const [{ store }, { store: same }] = [await storeOf(STEPS), await storeOf(STEPS)];
  await seal(store);
  const { key } = await seal(same);
  const [[id]] = [...await jobsIn(store)] as [[string, number]];
  const { proof } = await proveJob(store, id);
  assertEquals(checkProof(proof, [{ ...key, name: proof.log_id }]).wrong, [
    "the checkpoint is not signed by the key",
  ]);
});

Deno.test("unknown jobs, logs without a checkpoint and files that are no proof get a clear error", async () => {
  const { store } = await storeOf(STEPS);
  const [[id]] = [...await jobsIn(store)] as [[string, number]];
  await assertRejects(() => proveJob(store, id), ProofError, "not sealed yet");
  await seal(store);
  await assertRejects(() => proveJob(store, "nobody"), UnknownJobError, "There is no job nobody in log");
  for (const text of ["", "{", "null", "[]", "{}", '{"format":"daybook-job-proof/2"}']) {
    assertThrows(() => parseProof(text), ProofError, "It is no proof", text);
  }
  const { proof } = await proveJob(store, id);
  assertThrows(() => checkProof({ ...proof, checkpoint: "none" }, []), ProofError, "checkpoint");
});

Deno.test("events since the last checkpoint are told, not proved", async () => {
  const { store } = await storeOf(STEPS);
  const jobs = await jobsIn(store);
  const { size } = await seal(store, [0.5]);
  let unsealed = 0;
  for (const [id, events] of jobs) {
    const proved = await proveJob(store, id).catch((error) => {
      assert(error instanceof ProofError);
      return { proof: { events: [] as JobProof["events"] }, unsealed: events };
    });
    assertEquals(proved.proof.events.length + proved.unsealed, events);
    assert(proved.proof.events.every(({ position }) => position < size));
    unsealed += proved.unsealed;
  }
  assert(unsealed > 0);
});
