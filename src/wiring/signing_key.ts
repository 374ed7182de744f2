/**
 * The key that signs the log: an Ed25519 private key as PKCS #8 PEM, in a file that only its owner can read.
 *
 * @module
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { dirname } from "node:path";
import { firstLineOf } from "./first_line.ts";
import { writePrivateFile } from "./private_file.ts";

/** The key cannot be used or kept; the message says what to do and shows nothing of the key. */
export class SigningKeyError extends Error {
  override readonly name = "SigningKeyError";
}

/**
 * The key in the file, or a new one where there is no file, which then appears whole or not at all.
 *
 * @throws {SigningKeyError} If the file holds no such key, others may read it, or it can be neither read nor written.
 */
export async function loadSigningKey(path: string): Promise<KeyObject> {
  const kept = await keptSigningKey(path);
  if (kept) return kept;
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeKey(path, privateKey.export({ type: "pkcs8", format: "pem" }) as string);
  return privateKey;
}

/** The key in the file, `undefined` where there is no file. @throws {SigningKeyError} As `loadSigningKey`. */
export async function keptSigningKey(path: string): Promise<KeyObject | undefined> {
  const pem = await readKey(path);
  return pem === undefined ? undefined : parseKey(path, pem);
}

async function readKey(path: string): Promise<string | undefined> {
  try {
    const { mode } = await Deno.stat(path);
    if (mode !== null && (mode & 0o077) !== 0 && Deno.build.os !== "windows") {
      throw new SigningKeyError(
        `Others may read the signing key ${path}: make it yours alone with chmod 600`,
      );
    }
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof SigningKeyError) throw error;
    throw new SigningKeyError(`Cannot read the signing key ${path}: ${firstLineOf(error)}`, {
      cause: error,
    });
  }
}

function parseKey(path: string, pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // What is wrong with it is the same to whoever has to mend it, and might quote it.
  }
  throw new SigningKeyError(
    `${path} holds no Ed25519 private key in PEM: put the right key there, or name another file with DAYBOOK_SIGNING_KEY`,
  );
}

async function writeKey(path: string, pem: string): Promise<void> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writePrivateFile(path, pem);
  } catch (error) {
    throw new SigningKeyError(`Cannot write the signing key ${path}: ${firstLineOf(error)}`, {
      cause: error,
    });
  }
}
