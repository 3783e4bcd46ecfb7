// Installed npm packages, for `#files`: their folders and modules, and what comes with this one.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Requires packages from the working folder, and from this one. */
const requires = () => [join(process.cwd(), "package.json"), import.meta.url].map((from) => createRequire(from));

/** The folder of an installed npm package, undefined if there is none. It is looked for and not resolved: a package may export nothing of it. */
export const packageFolder = (name: string): string | undefined =>
  requires()
    .flatMap((require) => (require.resolve.paths(name) ?? []).map((folder) => join(folder, name)))
    .find((folder) => existsSync(join(folder, "package.json")));

/** A folder that comes with this package, by its path in the sources: it lies there, or beside what was built from them. */
export const ownFolder = (path: string): string | undefined =>
  ["../..", "../../.."]
    .map((up) => fileURLToPath(new URL(`${up}/${path}`, import.meta.url)))
    .find((folder) => existsSync(folder));

/** An installed npm package's module, such as `hyparquet/src/column.js`, undefined if there is none. */
export function packageModule(name: string): unknown {
  for (const require of requires()) {
    try {
      return require(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return undefined;
}
