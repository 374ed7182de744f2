import { assertEquals, assertFalse, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { databases } from "../../src/config/databases.ts";
import { Misfit } from "../../src/config/parse.ts";
import type { DatabaseTarget } from "../../src/handlers/handler.ts";

const parse = (text: string) => databases(text, { kvPath: "data/daybook.kv" });

function names(text: string): string[] {
  return (parse(text) as readonly DatabaseTarget[]).map(({ name }) => name);
}

Deno.test("databases() reads SQLite files and PostgreSQL addresses from a list with commas", () => {
  assertEquals(parse("sqlite:/srv/app.db, postgres://ann:secret@db.example/shop"), [
    { name: "sqlite:app.db", kind: "sqlite", path: "/srv/app.db" },
    { name: "db.example/shop", kind: "postgres", url: "postgres://ann:secret@db.example/shop" },
  ]);
});

Deno.test("databases() calls a PostgreSQL database by host and name, without user and password", () => {
  assertEquals(names("postgresql://ann:secret@db.example:5433/shop?sslmode=require"), [
    "db.example:5433/shop",
  ]);
});

Deno.test("databases() takes the user's name where a PostgreSQL address names no database, as PostgreSQL does", () => {
  assertEquals(names("postgres://ann@db.example"), ["db.example/ann"]);
});

Deno.test("databases() tells files of one name apart by their paths", () => {
  assertEquals(names("sqlite:/a/app.db,sqlite:/b/app.db,sqlite:other.db"), [
    "sqlite:/a/app.db",
    "sqlite:/b/app.db",
    "sqlite:other.db",
  ]);
});

Deno.test("databases() refuses an entry that is there twice", () => {
  for (const text of ["sqlite:app.db,sqlite:./app.db", "postgres://a@db/shop,postgres://b@db/shop"]) {
    const misfit = parse(text);
    assertInstanceOf(misfit, Misfit);
    assertStringIncludes(misfit.mayBe, "once");
  }
});

Deno.test("databases() refuses Daybook's own file, which a VACUUM would lock", () => {
  const misfit = parse("sqlite:./data/../data/daybook.kv");
  assertInstanceOf(misfit, Misfit);
  assertStringIncludes(misfit.mayBe, "'daybook'");
  assertFalse(misfit.mayBe.includes("\n"));
});

Deno.test("databases() refuses a link to Daybook's own file", () => {
  const dir = Deno.makeTempDirSync({ prefix: "daybook_databases_" });
  try {
    Deno.writeTextFileSync(`${dir}/daybook.kv`, "");
    Deno.symlinkSync("daybook.kv", `${dir}/link.db`);
    const misfit = databases(`sqlite:${dir}/link.db`, { kvPath: `${dir}/daybook.kv` });
    assertInstanceOf(misfit, Misfit);
    assertStringIncludes(misfit.mayBe, "'daybook'");
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});
