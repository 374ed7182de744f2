/**
 * From `DAYBOOK_DATABASES` to the databases that `db_optimize` works on.
 *
 * @module
 */
import { basename } from "node:path";
import type { DatabaseTarget } from "../handlers/handler.ts";
import { isPath, listed, Misfit, type Parse } from "./parse.ts";
import { realPath } from "./real_path.ts";

/** By which `db_optimize` knows Daybook's own file. */
export const OWN_DATABASE = "daybook";

/**
 * `sqlite:<path>` and `postgres://…`, separated by commas.
 *
 * A file is called `sqlite:<its name>`, and by its whole path where two files share a name; a PostgreSQL database
 * `<host>/<database>`, without user and password.
 */
export const databases: Parse<readonly DatabaseTarget[]> = (text, { kvPath }) => {
  const targets: DatabaseTarget[] = [];
  for (const item of listed(text)) {
    const target = databaseOf(item);
    if (!target) {
      return new Misfit("a list of sqlite:<path> and postgres://user:password@host:port/database", item);
    }
    if (target.kind === "sqlite" && realPath(target.path) === realPath(kvPath)) {
      return new Misfit(
        `a list without Daybook's own file, which db_optimize knows as '${OWN_DATABASE}' and must not lock`,
        item,
      );
    }
    if (targets.some((other) => isSame(other, target))) {
      return new Misfit("a list that names each once", item);
    }
    targets.push(target);
  }
  return targets.map((target) => distinct(target, targets));
};

function databaseOf(item: string): DatabaseTarget | undefined {
  const path = /^sqlite:(?!\/\/)(.+)$/.exec(item)?.[1];
  if (path !== undefined) {
    return isPath(path) && basename(path) !== ""
      ? { name: `sqlite:${basename(path)}`, kind: "sqlite", path }
      : undefined;
  }
  const url = /^postgres(ql)?:\/\//.test(item) ? URL.parse(item) : null;
  if (!url || url.hostname === "") return undefined;
  // Without a path PostgreSQL takes the database that is called like the user.
  const database = url.pathname.replace(/^\//, "") || url.username;
  return { name: `${url.host}/${database}`, kind: "postgres", url: item };
}

function isSame(one: DatabaseTarget, other: DatabaseTarget): boolean {
  return one.kind === "sqlite" && other.kind === "sqlite"
    ? realPath(one.path) === realPath(other.path)
    : one.name === other.name;
}

function distinct(target: DatabaseTarget, all: readonly DatabaseTarget[]): DatabaseTarget {
  if (target.kind !== "sqlite") return target;
  const shared = all.filter((other) => other.name === target.name).length > 1;
  return shared ? { ...target, name: `sqlite:${target.path}` } : target;
}
