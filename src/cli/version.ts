// The version of the package that the command line is part of.
import { readFileSync } from "node:fs";

/** The version in the nearest package.json that has one. */
export function version(): string {
  for (const path of ["../../package.json", "../../../package.json"]) {
    try {
      const { version: found } = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as {
        version?: string;
      };
      if (found !== undefined) return found;
    } catch {
      // Not there: the compiled file is one folder deeper than its source.
    }
  }
  return "unknown";
}
