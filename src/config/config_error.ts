/**
 * A setting that does not fit, told in one line.
 *
 * @module
 */

/** A variable of the environment whose value does not fit; the message is one line and shows no secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  /**
   * @param variable Its name.
   * @param shown The value as it may be shown, without secrets.
   * @param mayBe What it may be.
   */
  constructor(readonly variable: string, shown: string, mayBe: string) {
    super(`${variable} is ${shown}, but it may be ${mayBe}`);
  }
}
