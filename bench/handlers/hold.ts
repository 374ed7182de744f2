/**
 * The job type that holds its slot until the server stops.
 *
 * @module
 */
import { z } from "zod";
import type { JobHandler } from "../../src/handlers/handler.ts";

const hold: JobHandler<Record<string, never>, Record<string, never>> = {
  jobType: "hold",
  payloadSchema: z.strictObject({}),
  run: (_, { signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve({}))),
};

export default hold;
