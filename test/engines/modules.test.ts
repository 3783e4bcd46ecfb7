// The library as modules for pages, as `npm run build` writes them: what is in them, what they import at once, and that they run.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as seedgrad from "../../src/index.ts";
import { bundle, type Chunk, entries, fileOf, gzippedSize, loadedWith, onWasm } from "../../tools/bundle.ts";
import { type Outcome, program } from "../support/small.ts";

const folder = mkdtempSync(join(tmpdir(), "seedgrad-modules-"));
let chunks: readonly Chunk[];

beforeAll(async () => {
  chunks = await bundle();
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const { file, code } of chunks) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), code);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Packages with code in some files. */
const packagesIn = (files: readonly Chunk[]) =>
  [
    ...new Set(
      files.flatMap(({ sources }) =>
        sources.flatMap((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []),
      ),
    ),
  ].sort();
/** Folders of the library with code in some files. */
const roomsIn = (files: readonly Chunk[]) =>
  new Set(files.flatMap(({ sources }) => sources.flatMap((path) => path.match(/^src\/(\w+)\//)?.[1] ?? [])));

test("no import is left to be resolved: every one is of a file beside it", () => {
  const files = chunks.map(({ file }) => file);
  for (const { file, code, imports, dynamicImports } of chunks) {
    expect([file, code.match(/(?:\bfrom|\bimport\(?)\s*["'`](?:#|node:)/)?.[0]]).toEqual([file, undefined]);
    for (const file of [...imports, ...dynamicImports]) expect(files).toContain(file);
  }
});

test("core imports no zod, yaml or gpu.js, no trainer and no data sets", () => {
  const core = loadedWith(chunks, ["core.js"]);
  expect(packagesIn(core)).toEqual(["@noble/hashes"]);
  for (const room of ["train", "run", "report", "verify", "data", "cli"]) expect(roomsIn(core)).not.toContain(room);
});

test("gpu.js and the backends are imported when they are asked for, by every entry", () => {
  const gpu = fileOf(chunks, "src/backend/gpujs/backend.ts");
  for (const entry of Object.keys(entries)) {
    const first = loadedWith(chunks, [`${entry}.js`]);
    expect(packagesIn(first)).not.toContain("gpu.js");
    for (const source of ["gpujs/backend", "wasm/backend", "wasm/width", "reference"])
      expect(first.map(({ file }) => file)).not.toContain(fileOf(chunks, `src/backend/${source}.ts`));
  }
  const importers = chunks.filter(({ imports, dynamicImports }) => [...imports, ...dynamicImports].includes(gpu));
  expect(importers.length).toBeGreaterThan(0);
  for (const { dynamicImports } of importers) expect(dynamicImports).toContain(gpu);
});

test("sizes stay near what docs/design.md states", async () => {
  const kB = (files: readonly string[], of = chunks) => gzippedSize(loadedWith(of, files)) / 1000;
  const page = await bundle({ page: "bench/pages/small-model.ts" });
  const wasm = (of: readonly Chunk[]) => onWasm.map((path) => fileOf(of, path));
  expect(kB(["page.js"], page)).toBeLessThan(41);
  expect(kB(["page.js", ...wasm(page)], page)).toBeLessThan(99);
  expect(kB(["core.js"])).toBeLessThan(70);
  expect(kB(["core.js", ...wasm(chunks)])).toBeLessThan(118);
});

test.each(["seedgrad", "core"])("%s.js runs as it is: the same bits, and errors by their names", async (entry) => {
  const run = vm.runInThisContext(`(${program})`) as (sg: unknown, threads: number) => Promise<Outcome>;
  const built = await import(pathToFileURL(join(folder, `${entry}.js`)).href);
  expect(built.manualSeed).not.toBe(seedgrad.manualSeed);
  const [here, there] = [await run(seedgrad, 1), await run(built, 1)];
  expect(there).toEqual(here);
});
