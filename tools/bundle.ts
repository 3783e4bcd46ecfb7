// The library as modules that a page loads as they are: dist/esm/seedgrad.js, core.js, the entries beside it and worker.js (which starts worker-entry.js), each with what it always needs,
// and a chunk for each part that is imported when it is asked for. `npm run build` writes them; the bench and tests take them from memory.
import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type OutputChunk, rolldown } from "rolldown";

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

type Info = { readonly isEntry: boolean; readonly importedIds: readonly string[] } | null;

/** Starts worker-entry.js beside the file that it is in itself. */
const starter = join(root, "src/worker/thread.web.ts");

/** The chunk that a module goes to because of these entries, if a bundle has them. */
function chunkOfEntries(): (id: string, infoOf: (id: string) => Info) => string | null {
  const reached = new Map<string, ReadonlySet<string>>();
  const reach = (entry: string, infoOf: (id: string) => Info): ReadonlySet<string> => {
    const found = new Set<string>();
    const visit = (id: string): void => {
      if (found.has(id)) return;
      found.add(id);
      infoOf(id)?.importedIds.forEach(visit);
    };
    if (infoOf(entry)?.isEntry) visit(entry);
    return found;
  };
  return (id, infoOf) => {
    for (const [name, source] of Object.entries(together)) {
      const entry = join(root, source);
      if (!reached.has(name)) reached.set(name, reach(entry, infoOf));
      if (id !== entry && reached.get(name)!.has(id)) return name;
    }
    return null;
  };
}

/** Bundles modules for browsers, minified; classes keep their names, which runs and errors are told by. `input`: paths from the project's folder. */
export async function bundle(input: Readonly<Record<string, string>> = entries): Promise<readonly Chunk[]> {
  const chunkOf = chunkOfEntries();
  const made = await rolldown({
    cwd: root,
    input: { ...input },
    platform: "browser",
    // nn.summary needs the compiler at once: where a page has that, nothing is left to be imported later.
    onLog: (level, log, handler) => log.code !== "INEFFECTIVE_DYNAMIC_IMPORT" && handler(level, log),
  });
  const { output } = await made.generate({
    format: "esm",
    minify: { compress: true, mangle: { keepNames: { class: true, function: false } }, codegen: true },
    chunkFileNames: ({ moduleIds }) => `${moduleIds.includes(starter) ? "" : "chunks/"}[name]-[hash].js`,
    codeSplitting: {
      groups: [{ debugName: "entries", name: (id, context) => chunkOf(id, (each) => context.getModuleInfo(each)) }],
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
