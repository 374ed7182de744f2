/**
 * A source of a list: where some of its jobs are, newest first.
 *
 * @module
 */
import type { FoundJob } from "./stored_jobs.ts";

/** Ids from `first` (inclusive) to `end` (exclusive). */
export interface IdRange {
  readonly first: string;
  readonly end: string;
}

/** The newest jobs of a source; below `floor` there may be more, `undefined` when there are none. */
export interface SourcePart {
  readonly jobs: readonly FoundJob[];
  readonly floor: string | undefined;
}

export type ListSource = (range: IdRange, want: number) => Promise<SourcePart>;
