/**
 * What can be cleaned, and how old it must be.
 *
 * @module
 */

/** The kinds of records that cleanup removes, in the order in which it does. */
export const CLEANUP_TYPES = ["expired_data", "old_logs", "cancelled_jobs", "temp_files"] as const;
export type CleanupType = (typeof CLEANUP_TYPES)[number];

/** Days after which each kind is removed; expired data as soon as it has expired. */
export const DEFAULT_AGE_DAYS: Readonly<Record<CleanupType, number>> = {
  expired_data: 0,
  old_logs: 90,
  cancelled_jobs: 7,
  temp_files: 1,
};
