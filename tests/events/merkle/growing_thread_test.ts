import { assertEquals, assertRejects } from "@std/assert";
import { joinLines } from "../../../src/events/event_page.ts";
import type { TreeEdge } from "../../../src/events/merkle/growing_tree.ts";
import { growHere, type GrowthStep } from "../../../src/events/merkle/growth_step.ts";
import { growingThread } from "../../../src/events/merkle/growing_thread.ts";

const NO_TREE: TreeEdge = { size: 0, tiles: [] };
const SMALL = 10;
const LARGE = 1_000;

const entries = (count: number) =>
  Array.from({ length: count }, (_, i) => new TextEncoder().encode(`entry ${i} `.padEnd(400, "ä")));

function step(edge: TreeEdge, count: number, root = true): GrowthStep {
  return { partition: 0, edge, lines: joinLines(entries(count)), root };
}

/** Runs `work`; answers how many threads it started. */
async function threadsStartedBy(work: () => Promise<unknown>): Promise<number> {
  const { Worker: Own } = globalThis;
  let started = 0;
  globalThis.Worker = class extends Own {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      started += 1;
    }
  };
  try {
    await work();
  } finally {
    globalThis.Worker = Own;
  }
  return started;
}

Deno.test("a tree grows on the thread as it grows here", async () => {
  const thread = growingThread();
  let [there, here] = [NO_TREE, NO_TREE];
  for (const count of [LARGE, SMALL, 1, 255, 256, 257, LARGE]) {
    const grown = await thread.grow(step(there, count));
    assertEquals(grown, await growHere.grow(step(here, count)));
    there = here = grown.edge;
  }
  thread.close();
});

Deno.test("steps that are asked for at once are answered each with its own", async () => {
  const thread = growingThread();
  const asked = [LARGE, SMALL, 500].map((count) => thread.grow(step(NO_TREE, count, false)));
  assertEquals((await Promise.all(asked)).map(({ edge, root }) => [edge.size, root]), [
    [LARGE, undefined],
    [SMALL, undefined],
    [500, undefined],
  ]);
  thread.close();
});

Deno.test("a thread is started by the first large step, and is the only one", async () => {
  const thread = growingThread();
  assertEquals(await threadsStartedBy(() => thread.grow(step(NO_TREE, SMALL))), 0);
  assertEquals(await threadsStartedBy(() => thread.grow(step(NO_TREE, LARGE))), 1);
  assertEquals(await threadsStartedBy(() => thread.grow(step(NO_TREE, LARGE))), 0);
  thread.close();
});

Deno.test("whoever waits for a thread that breaks down is told, and what follows grows here", async () => {
  const thread = growingThread();
  const broken = { ...step(NO_TREE, LARGE), edge: null as unknown as TreeEdge };
  await assertRejects(() => thread.grow(broken), Error, "The tree could not be grown");
  const threads = await threadsStartedBy(async () =>
    assertEquals(await thread.grow(step(NO_TREE, LARGE)), await growHere.grow(step(NO_TREE, LARGE)))
  );
  assertEquals(threads, 0);
  thread.close();
});

Deno.test("whoever waits when the thread is ended is told", async () => {
  const thread = growingThread();
  const waiting = assertRejects(() => thread.grow(step(NO_TREE, LARGE)), Error, "was ended");
  thread.close();
  await waiting;
});
