/**
 * A setting that does not fit, told in one line.
 *
 * @module
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** @param shown The value as it may be shown, without secrets. */
  constructor(readonly variable: string, shown: string, mayBe: string) {
    super(`${variable} is ${shown}, but it may be ${mayBe}`);
  }
}
