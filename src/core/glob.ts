// Names chosen by patterns: parameters by their paths.
import { ConfigError, refuse } from "./errors.ts";

/** Whether a path matches a glob: `*` stands for any text, dots too, `?` for one character; everything else for itself. */
export function matches(glob: string, path: string): boolean {
  // Only the last star may have to take more: the time is at most the product of the lengths, which a regular expression doesn't promise.
  let [at, inPath] = [0, 0];
  let star = -1;
  let from = 0;
  while (inPath < path.length) {
    if (glob[at] === "*") {
      star = at++;
      from = inPath;
    } else if (at < glob.length && (glob[at] === "?" || glob[at] === path[inPath])) {
      at++;
      inPath++;
    } else if (star >= 0) {
      at = star + 1;
      inPath = ++from;
    } else return false;
  }
  while (glob[at] === "*") at++;
  return at === glob.length;
}

/** What has a name that one of the globs matches, in its own order. Throws ConfigError for a glob that matches none. */
export function select<E extends readonly [name: string, ...rest: unknown[]]>(
  where: string,
  named: readonly E[],
  globs: readonly string[],
): E[] {
  const names = named.map(([name]) => name);
  for (const glob of globs) {
    if (names.some((name) => matches(glob, name))) continue;
    const shown = names.slice(0, 12).join(", ");
    const expected = `one for some of ${shown || "none"}${names.length > 12 ? ", …" : ""}`;
    refuse(ConfigError, where, "a glob that matches nothing", glob || '""', expected);
  }
  return named.filter(([name]) => globs.some((glob) => matches(glob, name)));
}
