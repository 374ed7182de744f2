/**
 * How the audit's commands end.
 *
 * @module
 */

/** What was looked at is as it should be. */
export const FINE = 0;
/** It is not, and the output says in what. */
export const NOT_FINE = 1;
/** It could not be looked at, or something else could not be done. */
export const COULD_NOT = 2;
