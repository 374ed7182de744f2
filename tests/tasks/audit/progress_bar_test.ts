import { assertEquals } from "@std/assert";
import { ProgressBar } from "../../../src/tasks/audit/progress_bar.ts";

function terminalOf(isTerminal: boolean) {
  const lines: string[] = [];
  return {
    lines,
    isTerminal: () => isTerminal,
    writeSync: (bytes: Uint8Array) => lines.push(new TextDecoder().decode(bytes)),
  };
}

Deno.test("ProgressBar shows how far the work is, at most ten times a second, and takes its line away", () => {
  const terminal = terminalOf(true);
  let now = 0;
  const bar = new ProgressBar(terminal, () => now);
  bar.show("events", 1_000, 4_000);
  now = 99;
  bar.show("events", 2_000, 4_000);
  now = 100;
  bar.show("events", 4_000, 4_000);
  now = 200;
  bar.show("entries", 12, null);
  bar.clear();
  assertEquals(terminal.lines, [
    "\r[########......................] 1,000 of 4,000 events\x1b[K",
    `\r[${"#".repeat(30)}] 4,000 of 4,000 events\x1b[K`,
    "\r 12 entries\x1b[K",
    "\r\x1b[K",
  ]);
});

Deno.test("ProgressBar writes nothing where there is no terminal, and clears nothing that it has not shown", () => {
  const [file, terminal] = [terminalOf(false), terminalOf(true)];
  const bar = new ProgressBar(file);
  bar.show("events", 1, 2);
  bar.clear();
  new ProgressBar(terminal).clear();
  assertEquals([file.lines, terminal.lines], [[], []]);
});
