/**
 * What the built-in job types take and give, for programs that call Daybook.
 *
 * @module
 */

/**
 * Payload and result of each job type that ships. A program with job types of its own can declare them here
 * (`declare module`); types that are not listed have JSON objects.
 */
export interface JobTypeMap {
  cache_flush: {
    /** `action` is `full` unless said; a `pattern` (`*`, `?`) goes with `partial`. */
    payload: { action?: "full" | "partial"; pattern?: string };
    result: {
      status: "success";
      action: "full" | "partial";
      items_cleared: number;
      memory_freed_mb: number;
      duration_ms: number;
    };
  };
  db_optimize: {
    /** Names of configured databases; all of them unless said. */
    payload: { targets?: string[] };
    result: {
      status: "success";
      tables_analyzed: number;
      tables_optimized: number;
      space_freed_mb: number;
      duration_ms: number;
      notes?: readonly string[];
    };
  };
  log_rotate: {
    payload: Record<string, never>;
    result: {
      status: "success";
      logs_archived: number;
      space_freed_mb: number;
      current_log_size_mb: number;
      duration_ms: number;
    };
  };
  email_send: {
    payload: {
      to: string | string[];
      subject: string;
      /** Name of a template file; `data` fills it in. */
      template?: string;
      data?: { [key: string]: unknown };
      text?: string;
      html?: string;
    };
    result: {
      status: "sent";
      to: string | string[];
      subject: string;
      message_id: string;
      /** ISO 8601 UTC. */
      timestamp: string;
      transport: "smtp" | "outbox";
      /** Recipients that the server refused while it took the message for others. */
      rejected?: { address: string; response: string }[];
    };
  };
  cleanup: {
    /** `type` is `all` unless said. */
    payload: {
      type?: "all" | "expired_data" | "old_logs" | "cancelled_jobs" | "temp_files";
      older_than_days?: number;
    };
    result: {
      status: "success";
      type: "all" | "expired_data" | "old_logs" | "cancelled_jobs" | "temp_files";
      records_deleted: number;
      space_freed_mb: number;
      duration_ms: number;
    };
  };
  /** What `bulk` starts. */
  bulk_operation: {
    payload: {
      action: "cancel" | "retry" | "delete";
      filter: {
        status?: "queued" | "processing" | "completed" | "failed" | "cancelled";
        job_type?: string;
        queue?: string;
        priority?: "low" | "normal" | "high" | "critical";
        tag?: string;
        created_after?: string;
        created_before?: string;
      };
      reason?: string;
    };
    /** `matched` is the sum of `changed`, `unchanged` (cancel asked for already) and `refused` (status changed meanwhile). */
    result: {
      status: "success";
      action: "cancel" | "retry" | "delete";
      matched: number;
      changed: number;
      unchanged: number;
      refused: number;
      duration_ms: number;
    };
  };
}
