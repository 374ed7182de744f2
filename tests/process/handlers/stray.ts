import { z } from "zod";
import type { JobHandler } from "../../../src/handlers/handler.ts";

const payloadSchema = z.strictObject({ where: z.enum(["promise", "microtask", "listener", "timer"]) });

/** Leaves an error where nothing catches it, and completes a little later. */
const stray: JobHandler<z.infer<typeof payloadSchema>, { done: true }> = {
  jobType: "stray",
  payloadSchema,
  async run({ where }) {
    const error = new Error(`stray in a ${where}`);
    const fail = () => {
      throw error;
    };
    if (where === "promise") Promise.reject(error);
    if (where === "microtask") queueMicrotask(fail);
    if (where === "listener") {
      const target = new EventTarget();
      target.addEventListener("it", fail);
      target.dispatchEvent(new Event("it"));
    }
    if (where === "timer") setTimeout(fail, 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { done: true };
  },
};

export default stray;
