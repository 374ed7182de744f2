import { assert, assertEquals, assertRejects } from "@std/assert";
import { HandlerFolderError } from "../../src/wiring/handler_folder.ts";
import { jobTypes } from "../../src/wiring/job_types.ts";

/** A handler without imports; its schema checks nothing. */
function handler(jobType: string, more = ""): string {
  return `export default { jobType: "${jobType}", payloadSchema: { safeParse() {} }, run() {}, ${more} };`;
}

async function withFolder(files: Record<string, string>, test: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "daybook_handlers_" });
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("jobTypes() takes each .ts file of the folder, but declarations and tests", () =>
  withFolder({
    "greet.ts": handler("greet", "timeoutSeconds: 7"),
    "greet_test.ts": "throw 1;",
    "types.d.ts": "export type A = 1;",
    "notes.txt": "no handler",
  }, async (folder) => {
    const types = await jobTypes(folder);
    assertEquals(types.get("greet")?.timeoutSeconds, 7);
    assert(types.names().includes("email_send"));
  }));

const REFUSED: readonly [string, Record<string, string>, string][] = [
  [
    "two files with one job type",
    { "a.ts": handler("twice"), "b.ts": handler("twice") },
    "b.ts: There are two handlers for job type 'twice'",
  ],
  [
    "a job type that ships",
    { "a.ts": handler("cleanup") },
    "a.ts: There are two handlers for job type 'cleanup'",
  ],
  [
    "a job type that is Daybook's own",
    { "a.ts": handler("bulk_operation") },
    "a.ts: The job type 'bulk_operation' is Daybook's own",
  ],
  [
    "a time limit that is none",
    { "a.ts": handler("slow", 'timeoutSeconds: "abc"') },
    "a.ts: timeoutSeconds of job type 'slow' must be above 0 and at most 86400",
  ],
  ["a file without a handler", { "a.ts": "export default 1;" }, "a.ts has no handler as its default export"],
  ["a file that throws", { "a.ts": "throw new Error('not today');" }, "a.ts: not today"],
];

for (const [what, files, message] of REFUSED) {
  Deno.test(`jobTypes() refuses ${what}, and names the file`, () =>
    withFolder(files, async (folder) => {
      await assertRejects(() => jobTypes(folder), HandlerFolderError, message);
    }));
}
