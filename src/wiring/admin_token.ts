/**
 * The admin token: made at the first start, kept in `<data>/admin.token`, or given by the environment.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { firstLineOf } from "./first_line.ts";
import { writePrivateFile } from "./private_file.ts";

export interface AdminToken {
  readonly token: string;
  /** Whether this call made the token; it is then to be shown once, on the terminal. */
  readonly created: boolean;
  /** The file it is kept in; none when the environment gave it. */
  readonly path?: string;
}

/** The token cannot be used or kept; the message says what to do and never shows the token. */
export class AdminTokenError extends Error {
  override readonly name = "AdminTokenError";
}

/** What an `Authorization` header can carry behind `Bearer `. */
const USABLE_TOKEN = /^[\x21-\x7e]+$/;

/**
 * The token of the environment if there is one, else that of the file, else a new one of 256 random bits, `dbk_` and
 * 43 characters of base64url, in a file that only its owner can read and that appears whole or not at all.
 *
 * @throws {AdminTokenError} If the token has characters that no header can carry, or the file is empty, cannot be
 * read or cannot be written.
 */
export async function loadAdminToken(
  options: { readonly dataDir: string; readonly fromEnvironment?: string },
): Promise<AdminToken> {
  if (options.fromEnvironment !== undefined) {
    if (!USABLE_TOKEN.test(options.fromEnvironment)) {
      throw new AdminTokenError(
        "DAYBOOK_TOKEN cannot be used: it may have visible ASCII characters only, at least one and no space",
      );
    }
    return { token: options.fromEnvironment, created: false };
  }

  const path = adminTokenPath(options.dataDir);
  const kept = await readToken(path);
  if (kept !== undefined) return { token: kept, created: false, path };

  const token = `dbk_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`;
  await writeToken(options.dataDir, path, token);
  return { token, created: true, path };
}

/** Where the token is kept that no environment gives. */
export function adminTokenPath(dataDir: string): string {
  return join(dataDir, "admin.token");
}

async function readToken(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new AdminTokenError(`Cannot read the admin token from ${path}: ${firstLineOf(error)}`, {
      cause: error,
    });
  }
  const token = text.trim();
  if (token === "") {
    throw new AdminTokenError(`${path} is empty: remove it, and the next start makes a new admin token`);
  }
  if (!USABLE_TOKEN.test(token)) {
    throw new AdminTokenError(
      `${path} holds no token: it may have one line of visible ASCII characters; remove it, and the next start makes a new one`,
    );
  }
  return token;
}

async function writeToken(dataDir: string, path: string, token: string): Promise<void> {
  try {
    await Deno.mkdir(dataDir, { recursive: true });
    await writePrivateFile(path, `${token}\n`);
  } catch (error) {
    throw new AdminTokenError(`Cannot write the admin token to ${path}: ${firstLineOf(error)}`, {
      cause: error,
    });
  }
}
