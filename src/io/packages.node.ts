// Installed npm packages, for `#files`: their folders and modules.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What `body` finds by a way of requiring packages, from the working folder and then from this one; undefined where there is no such package. */
function required<T>(body: (require: NodeJS.Require) => T): T | undefined {
  const absent = ["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND", "ERR_PACKAGE_PATH_NOT_EXPORTED"];
  for (const from of [join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      return body(createRequire(from));
    } catch (error) {
      if (!absent.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  return undefined;
}

/** The folder of an installed npm package, undefined if there is none. */
export const packageFolder = (name: string): string | undefined =>
  required((require) => dirname(require.resolve(`${name}/package.json`)));

/** An installed npm package's module, such as `hyparquet/src/column.js`, undefined if there is none. */
export const packageModule = (name: string): unknown => required((require) => require(name));
