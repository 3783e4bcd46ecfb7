// The library as modules that a page loads as they are: dist/esm/seedgrad.js, core.js, the entries beside it and worker.js (which starts worker-entry.js), each with what it always needs,
// and a chunk for each part that is imported when it is asked for. `npm run build` writes them; the bench and tests take them from memory.
import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type ChunkingContext, type OutputChunk, rolldown } from "rolldown";

const root = fileURLToPath(new URL("../", import.meta.url));

const published: Readonly<Record<string, string | { readonly default: string }>> = JSON.parse(
  readFileSync(`${root}package.json`, "utf8"),
).exports;

/** The source of a published file. */
const sourceOf = (built: string) => built.replace(/^\.\/dist\/(.*)\.js$/, "$1.ts");

/** Entries by the name of their file: those of package.json's `exports`, one for each family of ops, and what runs in a worker. */
export const entries: Readonly<Record<string, string>> = Object.fromEntries([
  ...Object.entries(published).flatMap(([name, at]) => {
    if (typeof at === "string") return [];
    const [entry, source] = [name === "." ? "seedgrad" : name.slice(2), sourceOf(at.default)];
    if (!entry.endsWith("*")) return [[entry, source]];
    const families = readdirSync(root + dirname(source)).map((file) => file.replace(/\.ts$/, ""));
    return families.sort().map((family) => [entry.replace("*", family), source.replace("*", family)]);
  }),
  ["worker-entry", "src/worker/worker-entry.ts"],
]);

/** A file of a bundle. */
export interface Chunk {
  readonly file: string;
  readonly code: string;
  /** Files imported with it, and those imported when they are asked for. */
  readonly imports: readonly string[];
  readonly dynamicImports: readonly string[];
  /** The sources in it, from the project's folder. */
  readonly sources: readonly string[];
}

/** Entries of which one chunk has all that they import, in this order: whoever loads a part of it loads the whole. */
const together: Readonly<Record<string, string>> = { base: "src/worker/index.ts", core: "src/core.ts" };

/** What the first graph that runs imports, and the backend that it runs on unless another is asked for. */
const compiler = ["src/program/execution.ts", "src/program/captured.ts"];
const wasm = ["src/backend/wasm/backend.ts"];
export const onWasm: readonly string[] = [...compiler, ...wasm];

/** Starts worker-entry.js beside the file that it is in itself. */
const starter = join(root, "src/worker/thread.web.ts");

type Group = (id: string, context: ChunkingContext) => boolean;

/** All that some modules import at once, themselves included. */
function reach(ids: readonly string[], context: ChunkingContext): Set<string> {
  const found = new Set<string>();
  const visit = (id: string): void => {
    if (found.has(id)) return;
    found.add(id);
    context.getModuleInfo(id)?.importedIds.forEach(visit);
  };
  ids.forEach(visit);
  return found;
}

/** Chunks that are put together by hand, and what is in each; a module is in the first that has it. A page has one file for what its first graph needs on wasm. */
function groups(input: Readonly<Record<string, string>>, isPublished: boolean): Readonly<Record<string, Group>> {
  const paths = (sources: readonly string[]) => sources.map((source) => join(root, source));
  const begun = paths(Object.values(input));
  const of = (members: (context: ChunkingContext) => Set<string>): Group => {
    let known: Set<string> | undefined;
    return (id, context) => {
      known ??= members(context);
      return known.has(id);
    };
  };
  return {
    ...Object.fromEntries(
      Object.entries(together).map(([name, source]) => {
        const entry = join(root, source);
        const members = of((context) => (begun.includes(entry) ? reach([entry], context) : new Set()));
        return [name, (id, context) => id !== entry && members(id, context)] as [string, Group];
      }),
    ),
    compiler: of((context) => reach(paths(isPublished ? compiler : onWasm), context)),
    // What the whole library imports at once of what the backend does.
    schedule: of((context) => {
      const atOnce = reach(begun, context);
      return new Set([...reach(paths(wasm), context)].filter((id) => atOnce.has(id)));
    }),
    wasm: of((context) => reach(paths(wasm), context)),
  };
}

/** Bundles modules for browsers, minified; classes keep their names, which runs and errors are told by. `input`: paths from the project's folder. */
export async function bundle(input: Readonly<Record<string, string>> = entries): Promise<readonly Chunk[]> {
  const isPublished = Object.keys(input).every((name) => Object.hasOwn(entries, name));
  const chosen = Object.entries(groups(input, isPublished));
  const made = await rolldown({
    cwd: root,
    input: { ...input },
    platform: "browser",
    treeshake: { propertyReadSideEffects: false },
    // nn.summary needs the compiler at once: where a page has that, nothing is left to be imported later.
    onLog: (level, log, handler) => log.code !== "INEFFECTIVE_DYNAMIC_IMPORT" && handler(level, log),
  });
  const { output } = await made.generate({
    format: "esm",
    comments: { annotation: false },
    minify: { compress: true, mangle: { keepNames: { class: true, function: false } }, codegen: true },
    chunkFileNames: ({ moduleIds }) => `${moduleIds.includes(starter) ? "" : "chunks/"}[name]-[hash].js`,
    codeSplitting: {
      groups: [
        // A page begins with one file: what it uses of what it imports at once.
        ...(isPublished ? [] : [{ name: "first", tags: ["$initial" as const], priority: chosen.length + 1 }]),
        ...chosen.map(([name, has], i) => ({
          debugName: name,
          name: (id: string, context: ChunkingContext) => (has(id, context) ? name : null),
          priority: chosen.length - i,
        })),
      ],
    },
  });
  await made.close();
  return (output as OutputChunk[]).map(({ fileName, code, imports, dynamicImports, moduleIds }) => ({
    file: fileName,
    code,
    imports,
    dynamicImports,
    sources: moduleIds.map((id) => relative(root, id)),
  }));
}

/** What a page loads with these files: they, and all that they import at once. */
export function loadedWith(chunks: readonly Chunk[], files: readonly string[]): readonly Chunk[] {
  const byFile = new Map(chunks.map((chunk) => [chunk.file, chunk]));
  const loaded = new Set<string>();
  const visit = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    byFile.get(file)!.imports.forEach(visit);
  };
  files.forEach(visit);
  return [...loaded].map((file) => byFile.get(file)!);
}

/** The file that a source is in. */
export function fileOf(chunks: readonly Chunk[], source: string): string {
  return chunks.find(({ sources }) => sources.includes(source))!.file;
}

/** Their size together as a server sends them, in bytes: each gzipped at level 9. */
export function gzippedSize(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);
}

/** The licences of the packages whose code is in the bundle. */
function licences(chunks: readonly Chunk[]): string {
  const packages = new Set(
    chunks.flatMap(({ sources }) =>
      sources.flatMap((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []),
    ),
  );
  return [...packages]
    .sort()
    .map((name) => {
      const folder = join(root, "node_modules", name);
      const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      const file = readdirSync(folder).find((found) => /^licen[cs]e/i.test(found));
      return `${name} ${version}, ${license}\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : ""}\n`;
    })
    .join("\n\n");
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const chunks = await bundle();
  const write = (file: string, text: string) => {
    const path = join(root, "dist/esm", file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  for (const { file, code } of chunks) write(file, code);
  write("LICENSES.txt", licences(chunks));
}
