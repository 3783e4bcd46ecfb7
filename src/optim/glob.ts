// Parameters chosen by the pattern of their paths.

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
