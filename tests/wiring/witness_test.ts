/**
 * The witness: checkpoints reach a file or a server outside, also when that was away for a while.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openWitness } from "../../src/wiring/witness.ts";
import { splitNotes } from "../../src/events/merkle/signed_note.ts";

const note = (size: number) => `log\n${size}\nroot\n\n— log AAAAAAAA\n`;

Deno.test("a file gets every checkpoint, in order, behind what it holds already", async () => {
  const dir = await Deno.makeTempDir({ prefix: "daybook_witness_" });
  try {
    const troubles: string[] = [];
    const open = () => openWitness(`${dir}/kept`, { onTrouble: (why) => troubles.push(why) });
    const first = open();
    first.keep(note(1));
    first.keep(note(2));
    await first.close();
    const second = open();
    second.keep(note(3));
    await second.close();
    assertEquals(splitNotes(await Deno.readTextFile(`${dir}/kept`)), [note(1), note(2), note(3)]);
    assertEquals(troubles, []);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a folder that comes back later gets what it missed", async () => {
  const dir = await Deno.makeTempDir({ prefix: "daybook_witness_" });
  try {
    const troubles: string[] = [];
    const witness = openWitness(`${dir}/away/kept`, { onTrouble: (why) => troubles.push(why) });
    witness.keep(note(1));
    await witness.close();
    assertEquals(troubles.length, 2, "when it was given, and at the end");
    await Deno.mkdir(`${dir}/away`);
    witness.keep(note(2));
    await witness.close();
    assertEquals(await Deno.readTextFile(`${dir}/away/kept`), note(1) + note(2));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a server is posted the latest checkpoint, and again when it did not take it; no trouble tells its password", async () => {
  const got: string[] = [];
  let status = 500;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    got.push(await request.text());
    return new Response(null, { status });
  });
  const troubles: string[] = [];
  const address = `http://127.0.0.1:${server.addr.port}/log`;
  const witness = openWitness(address, { onTrouble: (why) => troubles.push(why) });
  witness.keep(note(1));
  await witness.close();
  assert(troubles.every((why) => why.includes("the witness answered 500")), troubles.join());
  status = 204;
  witness.keep(note(2));
  await witness.close();
  assertEquals(got.at(-1), note(2));
  const before = got.length;
  await witness.close();
  assertEquals(got.length, before, "nothing is left to send");
  await server.shutdown();

  const away = openWitness(address.replace("//", "//name:secret@"), {
    onTrouble: (why) => troubles.push(why),
  });
  away.keep(note(3));
  await away.close();
  assert(troubles.at(-1)!.includes("the request failed"), troubles.at(-1));
  assert(!troubles.join().includes("secret"));
});

Deno.test("a server that does not answer holds up the end for its limit and no longer", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const troubles: string[] = [];
  const witness = openWitness(`http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/log`, {
    onTrouble: (why) => troubles.push(why),
    closeLimitMs: 1,
  });
  witness.keep(note(1));
  using _silent = await listener.accept();
  witness.keep(note(2));
  await witness.close();
  assert(troubles.length > 0);
});
