import { assertEquals, assertRejects } from "@std/assert";
import { setImmediate as nextTurn } from "node:timers/promises";
import { behindBarrier, turnBarrier } from "../../src/api/turn_barrier.ts";

Deno.test("a barrier holds back whoever comes, and lets all who came in one turn go on one after another", async () => {
  const pass = turnBarrier();
  const steps: string[] = [];
  const request = async (name: string) => {
    await pass();
    steps.push(name);
  };

  const came = [request("a"), request("b")];
  // What else the process does between two requests.
  await Promise.resolve();
  steps.push("other work");
  came.push(request("c"));
  await Promise.all(came);

  assertEquals(steps, ["other work", "a", "b", "c"]);
});

Deno.test("who comes after a barrier has opened waits for its next opening", async () => {
  const pass = turnBarrier();
  await pass();
  let passed = false;
  const late = pass().then(() => passed = true);

  await Promise.resolve();
  assertEquals(passed, false);
  await nextTurn();
  await late;
  assertEquals(passed, true);
});

Deno.test("a handler behind a barrier is given the request and what is known of it, and answers for itself alone", async () => {
  const handler = behindBarrier(async (request: string, info: number) => {
    await nextTurn();
    if (request === "bad") throw new Error("no");
    return `${request} ${info}`;
  });
  const answers = [handler("one", 1), handler("bad", 2), handler("three", 3)] as const;
  assertEquals(await answers[0], "one 1");
  await assertRejects(() => answers[1], Error, "no");
  assertEquals(await answers[2], "three 3");
});

Deno.test("a handler behind a barrier that throws at once rejects", async () => {
  const handler = behindBarrier<string, null, string>(() => {
    throw new Error("at once");
  });
  await assertRejects(() => handler("request", null), Error, "at once");
});
