/**
 * Many sources of a list as one, which reads from each about as much as it has of the newest jobs.
 *
 * @module
 */
import type { IdRange, ListSource, SourcePart } from "./list_source.ts";
import type { FoundJob } from "./stored_jobs.ts";

/** Of each source first this many times what it has of the newest jobs if all have as many, then twice as much each time. */
const SLACK = 2;
const LEAST = 8;

interface Reader {
  readonly source: ListSource;
  /** Down to here it has been read; `undefined` when there is nothing below. */
  floor: string | undefined;
}

/** Answers `want` jobs or more, unless there are fewer; none twice but for one that moves meanwhile. */
export function merged(sources: readonly ListSource[]): ListSource {
  const [only] = sources;
  return sources.length === 1 ? only! : (range, want) => readMerged(sources, range, want);
}

async function readMerged(
  sources: readonly ListSource[],
  { first, end }: IdRange,
  want: number,
): Promise<SourcePart> {
  const readers = sources.map((source): Reader => ({ source, floor: end }));
  const jobs: FoundJob[] = [];
  let behind = readers;
  let portion = Math.min(want, Math.max(LEAST, Math.ceil(SLACK * want / sources.length)));
  while (behind.length > 0) {
    const parts = await Promise.all(
      behind.map(({ source, floor }) => source({ first, end: floor! }, portion)),
    );
    parts.forEach((part, i) => {
      jobs.push(...part.jobs);
      behind[i]!.floor = part.floor;
    });
    portion = Math.min(want, 2 * portion);
    // What has not been read down to here may have some of the newest.
    const last = jobs.length < want ? "" : nthNewest(jobs, want);
    behind = readers.filter(({ floor }) => floor !== undefined && floor > last);
  }
  const floors = readers.flatMap(({ floor }) => floor ?? []).sort();
  return { jobs, floor: floors.at(-1) };
}

function nthNewest(jobs: readonly FoundJob[], n: number): string {
  return jobs.map(({ id }) => id).sort().at(-n)!;
}
