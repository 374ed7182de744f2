/**
 * The job type that does nothing, for a server under measurement. It says when it is run for the first time.
 *
 * @module
 */
import { z } from "zod";
import type { JobHandler } from "../../src/handlers/handler.ts";

let ran = false;

const noop: JobHandler<{ n: number }, Record<string, never>> = {
  jobType: "noop",
  payloadSchema: z.object({ n: z.number() }),
  run: () => {
    if (!ran) console.log("The first noop runs");
    ran = true;
    return {};
  },
};

export default noop;
