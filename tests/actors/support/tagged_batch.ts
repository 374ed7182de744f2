/**
 * An atomic batch whose tags no one commit can hold.
 *
 * @module
 */
import { aSpec } from "./facts.ts";

export const JOBS = 100;
/** As many tags as jobs may have, as long as they may be; one is borne by all. */
export const SPECS = Array.from(
  { length: JOBS },
  (_, job) =>
    aSpec({
      tags: ["all", ...Array.from({ length: 19 }, (_, i) => `${job}-${i}`.padEnd(62, "€") + "\u{1f680}")],
    }),
);
