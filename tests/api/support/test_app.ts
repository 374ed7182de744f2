/**
 * The app over {@linkcode FakeJobs}, with two tokens and short ways to call it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Backoff, Job } from "../../../src/actors/job/job.ts";
import { type AppOptions, createApp } from "../../../src/api/app.ts";
import type { Problem } from "../../../src/api/problem.ts";
import type { Principal } from "../../../src/api/tokens.ts";
import { FakeJobs } from "./fake_jobs.ts";

export const ADMIN = "dbk_admin";
/** May only read. */
export const READER = "dbk_reader";
export const JOBS = "/api/system/background-jobs";
export const TEST_BACKOFF: Backoff = { base_seconds: 7, factor: 2, max_seconds: 700, jitter: 0 };

export interface CallOptions {
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export function testApp(options: Partial<AppOptions> = {}) {
  const jobs = new FakeJobs();
  const logged: string[] = [];
  const holders: Record<string, Principal> = {
    [ADMIN]: { name: "admin", scopes: ["admin"] },
    [READER]: { name: "reader", scopes: ["jobs:read"] },
  };
  let requests = 0;
  const app = createApp({
    jobs,
    tokens: { verify: (bearer) => Object.hasOwn(holders, bearer) ? holders[bearer] : undefined },
    backoffDefault: TEST_BACKOFF,
    newRequestId: () => `request-${++requests}`,
    logger: { error: (message) => logged.push(message) },
    ...options,
  });

  async function call(method: string, path: string, body?: unknown, given: CallOptions = {}) {
    const headers = new Headers(given.headers);
    if (given.token !== null && !headers.has("Authorization")) {
      headers.set("Authorization", `Bearer ${given.token ?? ADMIN}`);
    }
    if (body !== undefined && !headers.has("Content-Type")) headers.set("Content-Type", "application/json");
    return await app.request(path, {
      method,
      headers,
      ...(given.signal && { signal: given.signal }),
      ...(body !== undefined && {
        body: typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream
          ? body as BodyInit
          : JSON.stringify(body),
      }),
    });
  }

  return { app, jobs, logged, call };
}

export async function jobIn(response: Response): Promise<Job> {
  assertEquals(response.headers.get("Content-Type"), "application/json");
  return await response.json();
}

/** Asserts that the reply is a problem with that status, whose parts agree, and answers it. */
export async function problemIn(response: Response, status: number): Promise<Problem> {
  const text = await response.text();
  assertEquals([response.status, response.headers.get("Content-Type")], [
    status,
    "application/problem+json",
  ], text);
  const problem: Problem = JSON.parse(text);
  assertEquals(problem.status, status);
  assertEquals(typeof problem.title, "string");
  if (problem.errors) assertEquals(problem.detail, problem.errors[0]?.message);
  return problem;
}
