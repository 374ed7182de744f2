import { assertEquals, assertStringIncludes } from "@std/assert";
import { createClient, DaybookError } from "../../src/api/client.ts";
import { ServerProcess } from "../support/server_process.ts";

const LATER = "2099-01-01T00:00:00Z";

Deno.test("a server takes 1000 jobs of 16 KiB in one batch, runs what is due, and knows them all after kill -9", async () => {
  const dataDir = await Deno.makeTempDir();
  try {
    const ids: string[] = [];
    {
      await using server = await ServerProcess.start({ dataDir });
      const text = "x".repeat(16 * 1024 - 100);
      const job = {
        job_type: "email_send",
        payload: { to: "ada@example.com", subject: "Hi", text },
        scheduled_at: LATER,
      };
      const batch = await server.post<{ job: { id: string } }[]>("/background-jobs/batch", {
        jobs: [...Array(999).fill(job), { job_type: "cache_flush" }],
      });
      ids.push(...batch.map(({ job }) => job.id));
      assertEquals(new Set(ids).size, 1000);
      assertEquals(
        (await server.json<{ status: string }>(`/background-jobs/${ids[999]}?wait=30`)).status,
        "completed",
      );
      await server.end("SIGKILL");
    }
    await using server = await ServerProcess.start({ dataDir });
    const { by_status } = await server.json<{ by_status: Record<string, number> }>("/stats");
    assertEquals([by_status.queued, by_status.completed], [999, 1]);
    for (const id of [ids[0], ids[500], ids[998]]) {
      const { payload } = await server.json<{ payload: { text: string } }>(`/background-jobs/${id}`);
      assertEquals(payload.text.length, 16 * 1024 - 100);
    }
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a server refuses a batch over 16 MiB before it is sent, and the client says why", async () => {
  const dataDir = await Deno.makeTempDir();
  try {
    await using server = await ServerProcess.start({ dataDir });
    const address = new URL(server.url);
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(address.port) });
    await connection.write(new TextEncoder().encode(
      "POST /api/system/background-jobs/batch HTTP/1.1\r\nHost: x\r\n" +
        "Authorization: Bearer a-token-for-the-tests\r\nContent-Type: application/json\r\n" +
        `Content-Length: ${16 * 1024 * 1024 + 1}\r\n\r\n{`,
    ));
    const buffer = new Uint8Array(1000);
    const length = await connection.read(buffer);
    assertStringIncludes(new TextDecoder().decode(buffer.subarray(0, length ?? 0)), "HTTP/1.1 413 ");

    const daybook = createClient({ url: server.url, token: "a-token-for-the-tests" });
    const many = Array(101).fill({ job_type: "cache_flush" } as const);
    const error = await daybook.createMany(many, { atomic: true }).catch((error) => error as DaybookError);
    assertEquals(error instanceof DaybookError && error.status, 413);
    assertEquals((await daybook.getStats()).total, 0);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
