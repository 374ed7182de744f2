/**
 * Writes a message as an `.eml` file where no SMTP server is configured, for a person or a program to pick up.
 *
 * @module
 */
import { join } from "node:path";
import nodemailer from "nodemailer";
import type { HandlerContext } from "../handler.ts";
import { type ComposedMessage, fileSafe } from "./message.ts";

/**
 * Writes the message to `<outboxDir>/<idempotency key>.eml` and makes the folder when it is not there.
 *
 * The file appears whole or not at all, is on disk when this returns, and is readable by its owner only. A retry
 * writes the same name again, so a job leaves one file.
 */
export async function writeToOutbox(message: ComposedMessage, context: HandlerContext): Promise<void> {
  const { outboxDir } = context.services.mail;
  const bytes = await messageBytes(message);
  context.signal.throwIfAborted();
  const name = fileSafe(context.idempotencyKey);
  const temporary = join(outboxDir, `.${name}.${context.attempt}.tmp`);
  await Deno.mkdir(outboxDir, { recursive: true });
  try {
    await writeDurably(temporary, bytes);
    await Deno.rename(temporary, join(outboxDir, `${name}.eml`));
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
  await syncDirectory(outboxDir);
}

async function messageBytes(message: ComposedMessage): Promise<Uint8Array> {
  const composer = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: "windows" });
  const composed = await composer.sendMail(message.options);
  if (!(composed.message instanceof Uint8Array)) throw new TypeError("The composed message is not in memory");
  return composed.message;
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.writeFile(path, bytes, { mode: 0o600 });
  using file = await Deno.open(path, { write: true });
  await file.sync();
}

/** Makes the rename durable; Windows opens no folders and needs none. */
async function syncDirectory(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using directory = await Deno.open(path);
  await directory.sync();
}
