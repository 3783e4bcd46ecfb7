// Globs over names (`blocks.*.weight`): `*` stands for any text, `?` for one character, everything else for itself.
import { ConfigError } from "./errors.ts";

/** Whether a name matches one of the patterns. */
export function matches(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => regular(pattern).test(name));
}

/** The names that one of the patterns matches, in their own order. Throws ConfigError for a pattern that matches none. */
export function select(where: string, names: readonly string[], patterns: readonly string[]): string[] {
  for (const pattern of patterns) {
    if (names.some((name) => regular(pattern).test(name))) continue;
    const shown = names.slice(0, 12).join(", ");
    throw new ConfigError({
      where,
      problem: "a pattern that matches nothing",
      got: pattern,
      expected: `a glob for one of ${shown || "none"}${names.length > 12 ? ", …" : ""}`,
    });
  }
  return names.filter((name) => matches(name, patterns));
}

function regular(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
}
