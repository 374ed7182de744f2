/**
 * An option that takes a count.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";

export function positive(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a positive whole number.");
}
