import { assertEquals } from "@std/assert";
import { RecentPages } from "../../src/events/recent_pages.ts";

const page = (first: number, ...bytes: number[]) => ({
  first,
  events: bytes.map((byte) => new Uint8Array([byte])),
});

Deno.test("RecentPages has the events of the pages that were read last, and of no others", () => {
  const pages = new RecentPages();
  pages.add(page(10, 1, 2));
  pages.add(page(12, 3));
  pages.add(page(10, 1, 2));
  assertEquals([9, 10, 11, 12, 13].map((position) => pages.at(position)?.[0]), [
    undefined,
    1,
    2,
    3,
    undefined,
  ]);
  for (let i = 0; i < 63; i++) pages.add(page(100 + i, 9));
  assertEquals([10, 11, 12].map((position) => pages.at(position)?.[0]), [undefined, undefined, 3]);
});
