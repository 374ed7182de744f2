import { z } from "zod";
import type { JobHandler } from "../../../src/handlers/handler.ts";

const payloadSchema = z.strictObject({ ms: z.number().min(0) });

/** Keeps the event loop to itself for `ms` milliseconds. */
const block: JobHandler<z.infer<typeof payloadSchema>, { blocked: true }> = {
  jobType: "block",
  payloadSchema,
  run({ ms }) {
    const end = performance.now() + ms;
    while (performance.now() < end);
    return { blocked: true };
  },
};

export default block;
