import type { Mutations } from "../../../src/events/append.ts";

/** What is projected, asked again after whatever must be read for it. */
export async function whenReady(project: () => Mutations | Promise<void>): Promise<Mutations> {
  for (;;) {
    const projected = project();
    if (!(projected instanceof Promise)) return projected;
    await projected;
  }
}
