// The library and its command line as JavaScript, built once for each run of the tests: a process that begins from TypeScript translates every file of it first. The folder is laid
// out as the package is, and goes when the tests have ended.
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type { TestProject } from "vitest/node";
import { buildLibrary } from "./library.ts";
import { keepInMemory } from "./memory.ts";
import { root } from "./sources.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The folder of the built library: `src/cli/main.js` in it is the command line, `src/index.js` what programs import. */
    built: string;
  }
}

/** What processes, threads and programs begin with. */
const entryPoints = [
  ...["cli/main", "cli/job", "worker/worker-entry", "index", "run/lock", "run/checkpoint"].map(
    (name) => `src/${name}.ts`,
  ),
  ...["eager", "fault", "left", "runs", "steady", "toy", "wasm_rest"].map((name) => `test/support/${name}.ts`),
];

/** A module is in a file with others, and still says where it would be by itself. */
const places = (folder: string): Plugin => ({
  name: "places",
  setup({ onLoad }) {
    onLoad({ filter: /\/(src|kernels)\/.*\.ts$/ }, async ({ path }) => {
      const own = pathToFileURL(join(folder, relative(root, path).replace(/\.ts$/, ".js"))).href;
      const text = await readFile(path, "utf8");
      return { contents: text.replaceAll("import.meta.url", JSON.stringify(own)), loader: "ts" };
    });
  },
});

/** Builds it in a folder of its own, and gives the folder. */
export async function buildSources(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "seedgrad-built-"));
  await build({
    absWorkingDir: root,
    entryPoints,
    outbase: ".",
    outdir: folder,
    chunkNames: "src/chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    // Of many files: in one, what each process begins with takes a tenth less.
    alias: { zod: "./node_modules/zod/index.js" },
    keepNames: true,
    // A module that is only imported for what it does isn't left out.
    ignoreAnnotations: true,
    plugins: [places(folder)],
  });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  symlinkSync(join(root, "src/presets"), join(folder, "src/presets"));
  symlinkSync(join(root, "package.json"), join(folder, "package.json"));
  return folder;
}

/** Before all tests; what it gives is called after them. */
export async function setup({ provide }: TestProject): Promise<() => void> {
  const release = keepInMemory();
  const [folder, removeLibrary] = await Promise.all([buildSources(), buildLibrary()]);
  provide("built", folder);
  return () => {
    removeLibrary();
    rmSync(folder, { recursive: true, force: true });
    release();
  };
}
