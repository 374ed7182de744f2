/**
 * The job type of bulk operations and the queue that is theirs alone.
 *
 * The queue has a slot of its own, so that a bulk cancel runs when every other slot hangs.
 *
 * @module
 */

export const BULK_OPERATION = "bulk_operation";
export const BULK_QUEUE = "bulk_operations";

export const BULK_ACTIONS = ["cancel", "retry", "delete"] as const;
export type BulkAction = typeof BULK_ACTIONS[number];

/** Whether jobs of the type may be in the queue: bulk operations in theirs, all others in any but that one. */
export function mayBeIn(queue: string, jobType: string): boolean {
  return (queue === BULK_QUEUE) === (jobType === BULK_OPERATION);
}
