/**
 * A disk of a few kilobytes, to be filled: a tmpfs, which only root may mount.
 *
 * @module
 */

export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Makes it larger, as when somebody makes room. */
  grow(bytes: number): Promise<void>;
}

async function run(...command: string[]): Promise<boolean> {
  const [name, ...args] = command;
  try {
    return (await new Deno.Command(name!, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

async function mount(bytes: number): Promise<SmallDisk> {
  const path = await Deno.makeTempDir();
  if (!await run("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path)) {
    await Deno.remove(path);
    throw new Error("Cannot mount a tmpfs");
  }
  return {
    path,
    async grow(bytes) {
      if (!await run("mount", "-o", `remount,size=${bytes}`, path)) {
        throw new Error("Cannot remount the tmpfs");
      }
    },
    async [Symbol.asyncDispose]() {
      // Lazily: Deno KV closes its file in the background.
      await run("umount", "-l", path);
      await Deno.remove(path);
    },
  };
}

async function available(): Promise<boolean> {
  try {
    await using _disk = await mount(65_536);
    return true;
  } catch {
    return false;
  }
}

const unavailable = !await available();
if (unavailable) console.log("Skipping tests on a full disk: mounting a tmpfs is not permitted here");

/** `unavailable` where a tmpfs cannot be mounted. */
export const smallDisk = { mount, unavailable };
