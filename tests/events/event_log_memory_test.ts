import { MemoryStore } from "../../src/events/memory_store.ts";
import { eventLogSuite } from "./event_log_suite.ts";

eventLogSuite("memory", () => {
  const store = new MemoryStore();
  return Promise.resolve({
    open: () => Promise.resolve(store),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});
