// Files that lie beside the page that trains, by where they are from it: presets, and gzipped the data sets of the packages that are installed.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { dataFiles } from "../src/page/presets.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

const presets = readdirSync(join(root, "src/presets"))
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => [`presets/${name}`, () => readFileSync(join(root, "src/presets", name))] as const);

/** A data set's file lies in its package as it is, or gzipped. */
const data = Object.entries(dataFiles).flatMap(([path, url]) => {
  const file = resolve(root, path.replace(/^node_modules\/seedgrad\//, ""));
  if (existsSync(`${file}.gz`)) return [[url, () => readFileSync(`${file}.gz`)] as const];
  return existsSync(file) ? [[url, () => gzipSync(readFileSync(file))] as const] : [];
});

const known = new Map<string, Uint8Array>();

/** Their paths. */
export const beside: readonly string[] = [...presets, ...data].map(([path]) => path);

/** The bytes of one of them; undefined for another path. */
export function besideBytes(path: string): Uint8Array | undefined {
  const read = [...presets, ...data].find(([name]) => name === path)?.[1];
  const bytes = known.get(path) ?? read?.();
  // What had to be packed is packed once.
  if (bytes && path.endsWith(".gz")) known.set(path, bytes);
  return bytes;
}
