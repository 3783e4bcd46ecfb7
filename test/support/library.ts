// The library for the tests' own processes: each file of src and kernels as JavaScript in a file of its own, built once for each run of the tests. Node imports that in a third of the time that Vite takes to hand
// the sources to a process.
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import type { Plugin } from "vite";
import { root } from "./sources.ts";

const place = "seedgrad-library-";

const { name, version, type, imports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Where it is: known to the process that runs the tests before it is built. */
const libraryFolder = (): string => join(tmpdir(), place + process.pid);

/** What Vite leaves to Node. */
export const isBuilt = new RegExp(`/${place}\\d+/`);

/** Builds it; gives what removes it. */
export async function buildLibrary(): Promise<() => void> {
  const folder = libraryFolder();
  const remove = () => rmSync(folder, { recursive: true, force: true });
  remove();
  await build({
    absWorkingDir: root,
    entryPoints: ["src", "kernels"].flatMap((name) =>
      readdirSync(join(root, name), { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".ts"))
        .map((path) => join(name, path)),
    ),
    outbase: ".",
    outdir: folder,
    format: "esm",
    platform: "node",
    target: "node20.20",
    sourcemap: true,
    sourcesContent: false,
    plugins: [
      {
        name: "names",
        setup({ onLoad }) {
          onLoad({ filter: /\.ts$/ }, ({ path }) => ({
            contents: readFileSync(path, "utf8").replace(/(\b(?:from|import) ?\(?"\.[^"]+)\.ts"/g, '$1.js"'),
            loader: "ts",
          }));
        },
      },
    ],
  });
  const documentation = "src/train/config/documentation.json";
  for (const path of ["node_modules", "src/presets", documentation]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(join(root, path), join(folder, path));
  }
  const own = JSON.stringify({ name, version, type, imports }).replaceAll('.ts"', '.js"');
  writeFileSync(join(folder, "package.json"), own);
  return remove;
}

let isWatching = false;

/** Has tests import it in place of the sources, where they run once: who watches wants what is being written. */
export const fromLibrary: Plugin = {
  name: "library",
  enforce: "pre",
  configureVitest({ vitest }) {
    isWatching = vitest.config.watch;
  },
  resolveId(id, importer) {
    if (importer === undefined || isWatching) return;
    const path = relative(root, id in imports ? join(root, imports[id].node) : resolve(dirname(importer), id));
    if (/^(src|kernels)\/.*\.ts$/.test(path)) return join(libraryFolder(), path.replace(/\.ts$/, ".js"));
  },
};

/** Has a failure's stack name the sources. */
export function inSources(_: unknown, frame: { file: string; line: number; column: number }): void {
  if (!isBuilt.test(frame.file)) return;
  const map = new SourceMap(JSON.parse(readFileSync(`${frame.file}.map`, "utf8")));
  const found = map.findEntry(frame.line - 1, frame.column - 1);
  if (!("originalSource" in found)) return;
  frame.file = resolve(dirname(frame.file), found.originalSource);
  frame.line = found.originalLine + 1;
  frame.column = found.originalColumn + 1;
}
