import { assertEquals } from "@std/assert";
import { BatchedLines, type BatchedLinesOptions } from "../../src/logging/batched_lines.ts";

/** A target that keeps what it is given, and timers that fire when told. */
function target(options: Partial<BatchedLinesOptions> = {}) {
  const decoder = new TextDecoder();
  const state = {
    batches: [] as string[],
    failures: [] as unknown[],
    broken: false,
    timers: [] as { ms: number; run: () => void }[],
    fire() {
      for (const timer of state.timers.splice(0)) timer.run();
    },
  };
  const lines = new BatchedLines({
    write: (batch) => {
      if (state.broken) return Promise.reject(new Error("disk is full"));
      state.batches.push(decoder.decode(batch));
      return Promise.resolve();
    },
    droppedLine: (count) => `dropped ${count}`,
    onFailure: (error) => state.failures.push(error),
    startTimer: (run, ms) => {
      const timer = { ms, run };
      state.timers.push(timer);
      return () => void state.timers.splice(state.timers.indexOf(timer) >>> 0, 1);
    },
    ...options,
  });
  return { lines, state };
}

Deno.test("BatchedLines writes lines together once a short time has passed", async () => {
  const { lines, state } = target();
  lines.add("a");
  lines.add("b");
  assertEquals(state.timers.map((timer) => timer.ms), [100]);
  assertEquals(state.batches, []);
  state.fire();
  await lines.exclusively(() => Promise.resolve());
  assertEquals(state.batches, ["a\nb\n"]);
});

Deno.test("BatchedLines writes at once when the batch is large or a line is urgent", async () => {
  const { lines, state } = target({ flushChars: 4 });
  lines.add("a");
  lines.add("b");
  await lines.exclusively(() => Promise.resolve());
  assertEquals(state.batches, ["a\nb\n"]);
  lines.add("c", true);
  await lines.exclusively(() => Promise.resolve());
  assertEquals(state.batches, ["a\nb\n", "c\n"]);
});

Deno.test("BatchedLines keeps the order, whatever is added while a batch is being written", async () => {
  const written: string[] = [];
  const gates: (() => void)[] = [];
  const { lines } = target({
    write: async (batch) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      written.push(new TextDecoder().decode(batch));
    },
  });
  lines.add("1", true);
  await Promise.resolve();
  lines.add("2", true);
  lines.add("3");
  const flushed = lines.flush();
  let done = false;
  void flushed.then(() => done = true);
  while (!done) {
    gates.shift()?.();
    await Promise.resolve();
  }
  assertEquals(written.join(""), "1\n2\n3\n");
});

Deno.test("BatchedLines never fails its caller: what cannot be written waits, in order, and is written later", async () => {
  const { lines, state } = target();
  state.broken = true;
  lines.add("a");
  await lines.flush();
  lines.add("b", true);
  await lines.flush();
  assertEquals(state.batches, []);
  assertEquals(state.failures.length, 1, "told once, not at every try");
  assertEquals(state.timers.map((timer) => timer.ms), [1000]);
  state.broken = false;
  state.fire();
  await lines.exclusively(() => Promise.resolve());
  assertEquals(state.batches, ["a\nb\n"]);
});

Deno.test("BatchedLines drops lines beyond its bound and then says how many", async () => {
  const { lines, state } = target({ maxChars: 12 });
  state.broken = true;
  for (let line = 0; line < 100; line++) lines.add(`line${line}`);
  await lines.flush();
  assertEquals(lines.dropped, 98);
  assertEquals(state.batches, []);
  state.broken = false;
  await lines.flush();
  lines.add("next");
  await lines.flush();
  assertEquals(state.batches.join(""), "line0\nline1\ndropped 98\nnext\n");
  assertEquals(lines.dropped, 0);
});

Deno.test("BatchedLines.close() writes the rest, then takes nothing more", async () => {
  const { lines, state } = target();
  lines.add("a");
  assertEquals(await lines.close(), 0);
  lines.add("b");
  await lines.flush();
  assertEquals(state.batches, ["a\n"]);
  assertEquals(state.timers, []);
});

Deno.test("BatchedLines.close() answers how many lines are lost when the target stays broken", async () => {
  const { lines, state } = target();
  state.broken = true;
  lines.add("a");
  lines.add("b");
  assertEquals(await lines.close(), 2);
  assertEquals(state.timers, []);
});
