/**
 * A handler for Workers, which does what its payload says.
 *
 * @module
 */
import { z } from "zod";
import { type JobHandler, PermanentError } from "../../../src/handlers/handler.ts";

const payloadSchema = z.object({
  deed: z.enum([
    "answer",
    "nothing",
    "text",
    "cyclic",
    "throw",
    "throw nothing",
    "give up",
    "block",
    "obey",
    "use a service",
    "close",
    "throw unwaited",
    "tell what the schema made",
    "report nonsense",
    "post nonsense",
  ]),
  ms: z.number().default(5),
  marks: z.any().refine((marks: string[]) => marks.push("checked")).optional(),
}).refine(() => Promise.resolve(true));

type Payload = z.infer<typeof payloadSchema>;

const handler: JobHandler<Payload, object | undefined> = {
  jobType: "isolated",
  payloadSchema,
  isolate: true,
  async run({ deed, ms, marks }, context) {
    const { jobId, attempt, idempotencyKey, signal } = context;
    switch (deed) {
      case "answer":
        context.progress(50, "half");
        context.log("at work", "WARNING");
        return { jobId, attempt, idempotencyKey, ms, now: context.now() };
      case "nothing":
        return undefined;
      case "text":
        return "text" as unknown as object;
      case "cyclic": {
        const cyclic: Record<string, unknown> = {};
        return cyclic.self = cyclic;
      }
      case "throw":
        throw new RangeError("out of range");
      case "throw nothing":
        throw undefined;
      case "give up":
        throw new PermanentError("no such mailbox");
      case "block":
        for (const end = performance.now() + ms; performance.now() < end;);
        return { blocked: true };
      case "obey":
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        throw signal.reason;
      case "use a service":
        return { cache: context.services.cache };
      case "close":
        self.close();
        return await new Promise(() => {});
      case "tell what the schema made":
        return { marks };
      case "report nonsense":
        context.progress(Symbol("half") as unknown as number, (() => {}) as unknown as string);
        context.log(Symbol("at work") as unknown as string, "NOTICE" as "INFO");
        return {};
      case "post nonsense":
        (self as unknown as { postMessage(message: unknown): void }).postMessage({
          type: "completed",
          json: "no JSON",
        });
        return await new Promise(() => {});
      case "throw unwaited":
        queueMicrotask(() => {
          throw new Error("nobody waits for this");
        });
        return await new Promise(() => {});
    }
  },
};

export default handler;
