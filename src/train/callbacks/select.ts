// Names chosen by globs, as the options of several callbacks give them.
import { ConfigError } from "../../core/errors.ts";
import { matches } from "../../optim/glob.ts";

/** The names that one of the globs matches, in their own order. Throws ConfigError for a glob that matches none. */
export function select(where: string, names: readonly string[], globs: readonly string[]): string[] {
  for (const glob of globs) {
    if (names.some((name) => matches(glob, name))) continue;
    const shown = names.slice(0, 12).join(", ");
    throw new ConfigError({
      where,
      problem: "a glob that matches nothing",
      got: glob,
      expected: `one for some of ${shown || "none"}${names.length > 12 ? ", …" : ""}`,
    });
  }
  return names.filter((name) => globs.some((glob) => matches(glob, name)));
}
