// The page of src/page as `npm run demo:build` writes it, once for all test files.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { build } from "vite";
import { once } from "./once.ts";
import { root } from "./sources.ts";

/** The folder that it is in. */
export const demoFolder = (): Promise<string> =>
  once("demo", (outDir) =>
    build({ configFile: `${root}tools/demo.ts`, logLevel: "error", build: { outDir, emptyOutDir: true } }),
  );

/** Its files by their paths, for servePages. */
export async function demoPages(): Promise<Record<string, Uint8Array>> {
  const folder = await demoFolder();
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    paths.map((path) => [`/${relative(folder, path)}`, new Uint8Array(readFileSync(path))] as const),
  );
}
