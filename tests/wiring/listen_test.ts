import { assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/config/config_error.ts";
import { listen } from "../../src/wiring/listen.ts";

const answer = () => new Response();

Deno.test("an address that this machine does not have, or a name that leads nowhere, is DAYBOOK_HOST's fault", () => {
  for (const host of ["192.0.2.1", "::zz", "nowhere.invalid"]) {
    assertThrows(() => listen({ host, port: 0 }, answer), ConfigError, "DAYBOOK_HOST");
  }
});

Deno.test("a port that something else listens on is DAYBOOK_PORT's fault", () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assertThrows(
    () => listen({ host: "127.0.0.1", port: taken.addr.port }, answer),
    ConfigError,
    "DAYBOOK_PORT",
  );
});

Deno.test("what no setting is to blame for is told as it is", async () => {
  const program = `
    import { listen } from "${new URL("../../src/wiring/listen.ts", import.meta.url)}";
    try {
      for (;;) Deno.openSync("/dev/null");
    } catch {
      listen({ host: "127.0.0.1", port: 0 }, () => new Response());
    }`;
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-c", 'ulimit -n 100 && exec "$0" eval --quiet "$1"', Deno.execPath(), program],
    cwd: new URL("../..", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stderr);
  assertEquals(success, false);
  assertStringIncludes(said, "Too many open files");
  assertFalse(said.includes("DAYBOOK_"), said);
});
