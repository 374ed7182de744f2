import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { type Config, loadConfig, unknownVariables } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/config_error.ts";
import { VARIABLES } from "../../src/config/variables.ts";

function load(values: Record<string, string> = {}): Config {
  return loadConfig({ get: (name) => values[name] });
}

function refusal(values: Record<string, string>): string {
  const error = assertThrows(() => load(values));
  assertInstanceOf(error, ConfigError);
  assertEquals(error.variable, Object.keys(values)[0]);
  assertFalse(error.message.includes("\n"), "the message is one line");
  return error.message;
}

Deno.test("loadConfig() has a default for every variable", () => {
  assertEquals(load(), {
    dataDir: "./data",
    kvPath: "./data/daybook.kv",
    host: "127.0.0.1",
    port: 2000,
    role: "all",
    concurrency: 10,
    backoffBaseSeconds: 120,
    logLevel: "INFO",
    logFormat: "text",
    smtpUrl: undefined,
    mailFrom: "Daybook <daybook@localhost.localdomain>",
    cacheUrl: undefined,
    databases: [{ name: "daybook", kind: "own", path: "./data/daybook.kv" }],
    logDirs: [],
    templateDir: undefined,
    handlersDir: undefined,
    token: undefined,
    signingKeyPath: "./data/keys/log.ed25519",
    witness: undefined,
  });
});

Deno.test("loadConfig() takes an empty value for none", () => {
  const empty = Object.fromEntries(Object.values(VARIABLES).map(({ name }) => [name, ""]));
  assertEquals(load(empty), load());
});

Deno.test("loadConfig() reads every variable", () => {
  const config = load({
    DAYBOOK_HOST: "::1",
    DAYBOOK_PORT: "0",
    DAYBOOK_DATA: "/var/lib/daybook",
    DAYBOOK_KV: "/fast/log.kv",
    DAYBOOK_CONCURRENCY: "1000",
    DAYBOOK_ROLE: "all",
    DAYBOOK_BACKOFF_BASE_SECONDS: "0.5",
    DAYBOOK_LOG_LEVEL: "debug",
    DAYBOOK_LOG_FORMAT: "json",
    DAYBOOK_SMTP_URL: "smtps://user:pass@mail.example:465",
    DAYBOOK_MAIL_FROM: "jobs@localhost",
    DAYBOOK_CACHE_URL: "rediss://:pass@cache.example:6380/2?prefix=app:",
    DAYBOOK_DATABASES: "sqlite:/srv/app.db",
    DAYBOOK_LOG_DIRS: "/var/log/app, /var/log/web",
    DAYBOOK_TEMPLATES: "/etc/daybook/templates",
    DAYBOOK_HANDLERS: "/etc/daybook/handlers",
    DAYBOOK_TOKEN: "0123456789abcdef",
    DAYBOOK_SIGNING_KEY: "/etc/daybook/key",
  });
  assertEquals(config, {
    dataDir: "/var/lib/daybook",
    kvPath: "/fast/log.kv",
    host: "::1",
    port: 0,
    role: "all",
    concurrency: 1000,
    backoffBaseSeconds: 0.5,
    logLevel: "DEBUG",
    logFormat: "json",
    smtpUrl: "smtps://user:pass@mail.example:465",
    mailFrom: "jobs@localhost",
    cacheUrl: "rediss://:pass@cache.example:6380/2?prefix=app:",
    databases: [
      { name: "daybook", kind: "own", path: "/fast/log.kv" },
      { name: "sqlite:app.db", kind: "sqlite", path: "/srv/app.db" },
    ],
    logDirs: ["/var/log/app", "/var/log/web"],
    templateDir: "/etc/daybook/templates",
    handlersDir: "/etc/daybook/handlers",
    token: "0123456789abcdef",
    signingKeyPath: "/etc/daybook/key",
    witness: undefined,
  });
});

Deno.test("loadConfig() puts what has no place of its own into DAYBOOK_DATA", () => {
  const config = load({ DAYBOOK_DATA: "/data" });
  assertEquals(config.kvPath, "/data/daybook.kv");
  assertEquals(config.signingKeyPath, "/data/keys/log.ed25519");
});

Deno.test("loadConfig() takes WARN for WARNING", () => {
  assertEquals(load({ DAYBOOK_LOG_LEVEL: "warn" }).logLevel, "WARNING");
});

Deno.test("loadConfig() says in one line which value does not fit, what it was and what it may be", () => {
  assertEquals(
    refusal({ DAYBOOK_PORT: "two\nthousand" }),
    'DAYBOOK_PORT is "two\\nthousand", but it may be an integer from 0 to 65535',
  );
});

const MISFITS: Record<string, string[]> = {
  DAYBOOK_HOST: ["http://localhost", "two words"],
  DAYBOOK_PORT: ["-1", "65536", "2e3", " 80", "0x10"],
  DAYBOOK_DATA: ["a\0b"],
  DAYBOOK_CONCURRENCY: ["0", "1001", "1.5", "many"],
  DAYBOOK_ROLE: ["API", "both"],
  DAYBOOK_BACKOFF_BASE_SECONDS: ["-1", "86401", "2m", "Infinity"],
  DAYBOOK_LOG_LEVEL: ["TRACE", "10"],
  DAYBOOK_LOG_FORMAT: ["JSON", "xml"],
  DAYBOOK_SMTP_URL: ["mail.example", "http://mail.example", "smtp://"],
  DAYBOOK_MAIL_FROM: ["nobody", "a@b\r\nBcc: c@d", "A <a@b>, C <c@d>", "<>"],
  DAYBOOK_CACHE_URL: ["cache:6379", "redis://cache/x", "redis://cache?db=1", "redis://cache?prefix="],
  DAYBOOK_DATABASES: ["app.db", "mysql://db/app", "sqlite:", "postgres://", "sqlite:a.db,nonsense"],
  DAYBOOK_LOG_DIRS: ["/var/log,a\tb"],
  DAYBOOK_TOKEN: ["short", "with a space in it", "with-an-umlaut-ü-in-it"],
};

for (const [name, values] of Object.entries(MISFITS)) {
  Deno.test(`loadConfig() refuses a ${name} that does not fit`, () => {
    for (const value of values) assertStringIncludes(refusal({ [name]: value }), name);
  });
}

Deno.test("loadConfig() refuses the roles api and worker on the embedded file, with that reason", () => {
  for (const role of ["api", "worker"]) {
    const message = refusal({ DAYBOOK_ROLE: role });
    assertStringIncludes(message, "KV Connect");
    assertStringIncludes(message, "the embedded file belongs to one process");
  }
});

Deno.test("loadConfig() refuses a KV Connect address, which this version does not support", () => {
  const message = refusal({ DAYBOOK_KV: "https://user:hidden@kv.example/db" });
  assertStringIncludes(message, "does not support KV Connect yet");
  assertFalse(message.includes("hidden"));
});

Deno.test("loadConfig() refuses a log that would end with the process", () => {
  assertStringIncludes(refusal({ DAYBOOK_KV: ":memory:" }), "must outlive the process");
});

Deno.test("loadConfig() shows no secret in a refusal", () => {
  const refused = [
    { DAYBOOK_TOKEN: "hidden" },
    { DAYBOOK_SMTP_URL: "http://user:hidden@mail.example" },
    { DAYBOOK_SMTP_URL: "smtp:user:hidden@mail.example" },
    { DAYBOOK_SMTP_URL: "smtp://user:hidden" },
    { DAYBOOK_CACHE_URL: "redis://:hidden@cache.example/x" },
    { DAYBOOK_CACHE_URL: "redis://cache.example/1?password=hidden" },
    { DAYBOOK_DATABASES: "mysql://user:hidden@db.example/app" },
    { DAYBOOK_DATABASES: "postgres://user:hid,hidden@db.example/app" },
    { DAYBOOK_DATABASES: "sqlite:a.db,user:hidden@db.example" },
  ];
  for (const values of refused) assertFalse(refusal(values).includes("hid"), JSON.stringify(values));
});

Deno.test("loadConfig() shows scheme and host of an address that does not fit", () => {
  assertStringIncludes(
    refusal({ DAYBOOK_SMTP_URL: "http://user:hidden@mail.example" }),
    '"http://mail.example…"',
  );
});

Deno.test("unknownVariables() names a misspelt variable and the one that was meant", () => {
  assertEquals(unknownVariables(["DAYBOOK_CONCURENCY", "daybook_port", "PATH"]), [
    "Unknown variable DAYBOOK_CONCURENCY: did you mean DAYBOOK_CONCURRENCY?",
    "Unknown variable daybook_port: did you mean DAYBOOK_PORT?",
  ]);
});

Deno.test("unknownVariables() proposes nothing where nothing is near", () => {
  assertEquals(unknownVariables(["DAYBOOK_FAVOURITE_COLOUR"]), [
    "Unknown variable DAYBOOK_FAVOURITE_COLOUR: it has no effect",
  ]);
});

Deno.test("unknownVariables() has nothing against Daybook's own variables, the operators' and the tests'", () => {
  const known = Object.values(VARIABLES).map(({ name }) => name);
  assert(known.length > 15);
  assertEquals(unknownVariables([...known, "DAYBOOK_URL", "DAYBOOK_TEST_SOMETHING"]), []);
});
