// Nested records and lists as leaves by their path, so that two of them can be compared and told.

/** Leaves by path, `trainer.init.loop.num_epochs` → `3`, each as JSON; a bigint as its digits. What is undefined is left out, and so are empty records and lists. */
export function leavesOf(value: unknown, path = "", found = new Map<string, string>()): Map<string, string> {
  if (value === null || value === undefined || typeof value !== "object") {
    if (path !== "" && value !== undefined)
      found.set(path, typeof value === "bigint" ? value.toString() : JSON.stringify(value));
    return found;
  }
  for (const [key, item] of Object.entries(value))
    leavesOf(item, Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`, found);
  return found;
}

/** A leaf for a reader: text without its quotes. */
export const unquoted = (leaf: string): string => leaf.replace(/^"(.*)"$/s, "$1");
