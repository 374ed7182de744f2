/**
 * A job system under comparison.
 *
 * @module
 */
import type { Assignment, Finding } from "./assignment.ts";

export interface Contender {
  /** With versions. */
  readonly title: string;
  /** What of an acknowledged write survives which failure. */
  readonly durability: string;
  /** Does the work on a store of its own in the folder, which is empty. */
  measure(task: Task, folder: string): Promise<Finding>;
}

export type Task = Omit<Assignment, "address">;

export interface Candidate {
  /** As `--only` and the rows name it. */
  readonly name: string;
  /** Answers why it cannot take part where it cannot. */
  find(): Promise<Contender | { readonly missing: string }>;
}
