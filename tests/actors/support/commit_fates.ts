/**
 * What becomes of an atomic batch of which one commit meets a fault and the others do not.
 *
 * @module
 */
import type { CommitFault } from "../../support/faulty_store.ts";

interface CommitFate {
  readonly name: string;
  readonly fault: CommitFault;
  readonly fate: "created" | "LogUnavailableError";
}

export const COMMIT_FATES: readonly CommitFate[] = [
  { name: "none", fault: "none", fate: "created" },
  { name: "lost_answer", fault: "lost_answer", fate: "created" },
  { name: "doubled", fault: "doubled", fate: "created" },
  { name: "silent", fault: "silent", fate: "created" },
  { name: "late", fault: { late: "rejects", before: 1 }, fate: "created" },
  { name: "lost_commit", fault: "lost_commit", fate: "LogUnavailableError" },
  { name: "swallowed", fault: "swallowed", fate: "LogUnavailableError" },
  { name: "too late", fault: { late: "never answers", before: 9 }, fate: "LogUnavailableError" },
];
