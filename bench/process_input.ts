/**
 * What a process reads on its standard input.
 *
 * @module
 */

/** Writes all of it and closes it. The process must have been started with `stdin: "piped"`. */
export async function feed({ stdin }: Deno.ChildProcess, input: string): Promise<void> {
  const writer = stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
}
