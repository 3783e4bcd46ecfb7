// Files by pattern: `runs/*/checkpoints/*.safetensors`.
import { exists, list } from "#files";
import { matches } from "../core/glob.ts";

/** What stands for other text in a pattern, for a reader. */
export const wildcards =
  "its wildcards are * (any text within the name of a file or folder) and ? (one character); none are [ ], { }, **";

/** Whether a pattern holds what is a wildcard to shells and not here. */
export function foreignWildcard(pattern: unknown): boolean {
  return typeof pattern === "string" && /[[\]{}]|\*\*/.test(pattern);
}

/** The paths that a pattern names, in the order of their parts' UTF-8 bytes: `*` stands for any text within a part, `?` for one character. A path without either is itself, if it is there. */
export function globFiles(pattern: string): string[] {
  const [first, ...parts] = pattern.split("/");
  const roots = first === "" ? ["/"] : expand(".", first).map((path) => path.slice(2));
  const found = parts.reduce((paths, part) => paths.flatMap((path) => expand(path, part)), roots);
  return found.map((path) => path.replace(/^\/\//, "/"));
}

function expand(folder: string, part: string): string[] {
  const at = (name: string) => `${folder}/${name}`;
  if (!/[*?]/.test(part)) return exists(at(part)) ? [at(part)] : [];
  let names: string[];
  try {
    names = list(folder);
  } catch {
    // A file where the pattern wants a folder has nothing in it.
    return [];
  }
  return names.filter((name) => (part.startsWith(".") || !name.startsWith(".")) && matches(part, name)).map(at);
}
