import { assertEquals, assertRejects } from "@std/assert";
import { AnsweringWorker } from "../../src/events/answering_worker.ts";

/** Doubles numbers, breaks down on 13. */
const MODULE = new URL(
  "data:text/javascript," + encodeURIComponent(`self.onmessage = ({ data }) => {
    if (data === 13) throw new Error("unlucky");
    self.postMessage(2 * data);
  };`),
);

const doubling = () => new AnsweringWorker<number, number>(MODULE, "No number could be doubled");

Deno.test("a worker answers each question with its own, in their order", async () => {
  const worker = doubling();
  assertEquals(await Promise.all([1, 2, 3].map((n) => worker.ask(n, []))), [2, 4, 6]);
  worker.close();
});

Deno.test("whoever waits when a worker breaks down is told why, and so is whoever asks later", async () => {
  const worker = doubling();
  const asked = [1, 13, 3].map((n) => worker.ask(n, []));
  assertEquals(await asked[0], 2);
  for (const lost of asked.slice(1)) {
    await assertRejects(() => lost, Error, "No number could be doubled: Uncaught Error: unlucky");
  }
  assertEquals(worker.isOver, true);
  await assertRejects(() => worker.ask(4, []), Error, "unlucky");
});

Deno.test("whoever waits when a worker is closed is told, and so is whoever asks later", async () => {
  const worker = doubling();
  const waiting = worker.ask(1, []);
  worker.close();
  await assertRejects(() => waiting, Error, "its thread was ended");
  await assertRejects(() => worker.ask(2, []), Error, "its thread was ended");
});
