import { z } from "zod";
import type { JobHandler } from "../../../src/handlers/handler.ts";

const payloadSchema = z.strictObject({ ms: z.number().min(0).default(0) });

/** Takes `ms` milliseconds, fewer when its signal fires. */
const tick: JobHandler<z.infer<typeof payloadSchema>, { ticked: true }> = {
  jobType: "tick",
  payloadSchema,
  run({ ms }, { signal }) {
    return new Promise((resolve, reject) => {
      const abort = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", abort);
        resolve({ ticked: true });
      }, ms);
      signal.addEventListener("abort", abort, { once: true });
    });
  },
};

export default tick;
