import { assertEquals, assertThrows } from "@std/assert";
import { FileGoneError, KeptFile } from "../../src/wiring/kept_file.ts";
import { ManualClock } from "../support/manual_clock.ts";

async function withKept(
  test: (kept: { path: string; file: KeptFile; told: boolean[]; look: () => Promise<void> }) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/daybook.kv`;
  await Deno.writeTextFile(path, "the log");
  const clock = new ManualClock();
  const told: boolean[] = [];
  using file = await KeptFile.watch(path, { clock, onChange: (there) => told.push(there) });
  const look = async () => {
    clock.advance(1_000);
    // A look is at the real disk, and ends by setting the next timer.
    while (clock.pending === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  try {
    await test({ path, file, told, look });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("nothing is written to a file that was removed, and it is told once", () =>
  withKept(async ({ path, file, told, look }) => {
    await look();
    file.mustBeThere();
    await Deno.remove(path);
    await look();
    await look();
    assertThrows(() => file.mustBeThere(), FileGoneError, "Put it back where it was, or stop Daybook");
    assertEquals(told, [false]);
  }));

Deno.test("another file in its place is not the file that was opened", () =>
  withKept(async ({ path, file, told, look }) => {
    await Deno.writeTextFile(`${path}.other`, "the log");
    await Deno.rename(`${path}.other`, path);
    await look();
    assertThrows(() => file.mustBeThere(), FileGoneError);
    assertEquals(told, [false]);
  }));

Deno.test("a file that is back where it was is written to again", () =>
  withKept(async ({ path, file, told, look }) => {
    await Deno.rename(path, `${path}.moved`);
    await look();
    await Deno.rename(`${path}.moved`, path);
    await look();
    file.mustBeThere();
    assertEquals(told, [false, true]);
  }));
