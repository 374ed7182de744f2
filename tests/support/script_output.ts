import { assert } from "@std/assert";

/**
 * What a script prints in a Deno of its own. Fails when the script does, with what that said.
 *
 * @param args Of `deno run`.
 */
export async function scriptOutput(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["run", ...args] })
    .output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert(success, err);
  return out!;
}
