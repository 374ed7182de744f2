/**
 * Listening where the settings say.
 *
 * @module
 */
import { ConfigError } from "../config/config_error.ts";
import { masked } from "../config/masked.ts";

const PORT_TAKEN = "a port that nothing listens on yet, or 0 for any that is free";
const PORT_RESERVED = "a port that this user may listen on, as any from 1024 on";
const HOST = "an address of this machine, or a name of one; 0.0.0.0 or :: for all of them";

/**
 * Prints nothing: who starts Daybook is told when it can be stopped, too.
 *
 * @param at 0 as the port takes any free one.
 * @throws {ConfigError} If this machine has no such address, or gives the port to nobody or not to this process.
 * @throws {Error} As the system says, if it has another reason, such as too many open files.
 */
export function listen(
  at: { readonly host: string; readonly port: number },
  handler: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: at.host, port: at.port, onListen: () => {} }, handler);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    if (error instanceof Deno.errors.AddrInUse) {
      throw new ConfigError("DAYBOOK_PORT", masked(String(at.port), "all"), PORT_TAKEN);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new ConfigError("DAYBOOK_PORT", masked(String(at.port), "all"), PORT_RESERVED);
    }
    // Names that lead nowhere come without a code of the system's.
    if ("code" in (error as Error) && !(error instanceof Deno.errors.AddrNotAvailable)) throw error;
    throw new ConfigError("DAYBOOK_HOST", masked(at.host, "all"), HOST);
  }
}
