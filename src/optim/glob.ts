// Parameters chosen by the pattern of their paths.

/** Whether a path matches a glob: `*` stands for any text, dots too, `?` for one character; everything else for itself. */
export function matches(glob: string, path: string): boolean {
  const source = glob
    .replace(/[\\^$.|+()[\]{}]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(path);
}
