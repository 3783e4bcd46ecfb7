// The library as modules for pages, as `npm run build` writes them: what is in them, what they import at once, and that they run.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import * as seedgrad from "../../src/index.ts";
import { bundle, type Chunk, entries, fileOf, gzippedSize, loadedWith, onWasm } from "../../tools/bundle.ts";
import { libraryModules } from "../support/esm.ts";
import { type Outcome, program } from "../support/small.ts";

const folder = mkdtempSync(join(tmpdir(), "seedgrad-modules-"));
let chunks: readonly Chunk[];
/** A page with a small model. */
let page: readonly Chunk[];

beforeAll(async () => {
  chunks = await libraryModules();
  page = await bundle({ page: "bench/pages/small-model.ts" });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const { file, code } of chunks) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), code);
  }
});
afterAll(() => {
  vi.unstubAllGlobals();
  rmSync(folder, { recursive: true });
});

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
  const wasm = (of: readonly Chunk[]) => onWasm.map((path) => fileOf(of, path));
  expect(kB(["page.js"], page)).toBeLessThan(40);
  expect(kB(["page.js", ...wasm(page)], page)).toBeLessThan(90);
  expect(kB(["core.js"])).toBeLessThan(70);
  expect(kB(["core.js", ...wasm(chunks)])).toBeLessThan(110);
});

test.each(["seedgrad", "core"])("%s.js runs as it is: the same bits, and errors by their names", async (entry) => {
  const run = vm.runInThisContext(`(${program})`) as (sg: unknown, threads: number) => Promise<Outcome>;
  const built = await import(pathToFileURL(join(folder, `${entry}.js`)).href);
  expect(built.manualSeed).not.toBe(seedgrad.manualSeed);
  const [here, there] = [await run(seedgrad, 1), await run(built, 1)];
  expect(there).toEqual(here);
});

/** Writes files to a folder of their own, as modules that say in `globalThis.begun` that they are run. */
function telling(name: string, files: readonly Chunk[]): string {
  const own = join(folder, name);
  for (const { file, code } of files) {
    mkdirSync(dirname(join(own, file)), { recursive: true });
    writeFileSync(join(own, file), `(globalThis.begun ??= new Set()).add(${JSON.stringify(file)});\n${code}`);
  }
  return own;
}
const begun = (): ReadonlySet<string> => (globalThis as unknown as { begun: Set<string> }).begun;

test("a page with a small model trains with the files that its size is of", async () => {
  const files = ["page.js", ...onWasm.map((path) => fileOf(page, path))];
  const own = telling("page", loadedWith(page, files));
  const titles: string[] = [];
  const trained = new Promise<void>((resolve) => {
    const document = {
      set title(text: string) {
        if (titles.push(text) === 100) resolve();
      },
    };
    vi.stubGlobal("document", document);
  });
  await import(pathToFileURL(join(own, "page.js")).href);
  await trained;
  expect(Number(titles[99])).toBeLessThan(Number(titles[0]) / 2);
});

/** What few programs need, but for what only threads do, and a program that needs all of it. */
const rare = [
  "kernels/special.ts",
  ...["compile/repeat", "compile/through", "compile/uncopied", "schedule/bands", "schedule/special"].map(
    (name) => `src/${name}.ts`,
  ),
  ...["halves", "lines", "random", "turning"].map((name) => `src/backend/wasm/emit/${name}.ts`),
];
type Parts = Pick<typeof seedgrad, "Tensor" | "compile" | "gradients" | "manualSeed" | "scan" | "tensor" | "Stream"> &
  Pick<typeof seedgrad.ops, "conv2d" | "cumsum" | "sort" | "concat" | "flip" | "roundTo" | "randint" | "permutation" | "gather" | "transpose" | "sum">; // biome-ignore format: one line

async function needing(sg: Parts): Promise<string[]> {
  sg.manualSeed(3);
  const numbers = (shape: number[]) =>
    sg.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => ((i * 37) % 101) / 101 - 0.5), { shape }); // biome-ignore format: one line
  const given: (readonly [unknown[], (...x: seedgrad.Tensor[]) => unknown])[] = [
    [[numbers([8, 5]), numbers([5])], (x, h) => sg.scan((c: seedgrad.Tensor, each: seedgrad.Tensor) => [c.add(each), c.mul(each)], h, x)], // biome-ignore format: one line
    [[numbers([2, 4, 12, 12]), numbers([4, 1, 3, 3])], (x, w) => sg.conv2d(x, w, undefined, { padding: 1, groups: 4 })],
    [[numbers([2, 4, 12, 12]), numbers([8, 4, 3, 3])], (x, w) => sg.conv2d(x, w)],
    [[numbers([6, 40])], (x) => [sg.sort(x), sg.cumsum(x, 1), sg.concat([x, sg.flip(x, [1])], 0)]],
    [[numbers([6, 2])], (x) => sg.gradients(sg.gather(x, sg.tensor([[1, 1], [0, 2]], "int32"), 0).sum(), [x])], // biome-ignore format: one line
    [[numbers([16, 16])], (x) => sg.roundTo(x, "float16").matmul(sg.roundTo(x, "float16"))],
    [[], () => [sg.randint([9], 0, 100), sg.permutation(9)]],
    [[numbers([6, 5, 16])], (x) => sg.sum(sg.transpose(x, [1, 0, 2]), [1, 2])],
  ];
  const all: string[] = [];
  for (const [operands, of] of given) {
    const result = await sg.compile(of as never, { name: "part" })(...(operands as never[]));
    const read = async (value: unknown): Promise<void> => {
      if (Array.isArray(value)) for (const each of value) await read(each);
      else {
        const { buffer, byteOffset, byteLength } = await (value as seedgrad.Tensor).data();
        all.push(Buffer.from(buffer, byteOffset, byteLength).toString("hex"));
      }
    };
    await read(result);
  }
  return all;
}

test("what few programs need is imported for one that does: the same bits", async () => {
  const own = telling("rare", chunks);
  const load = (name: string) => import(pathToFileURL(join(own, `${name}.js`)).href);
  const [core, transforms, images, sorting] = [await load("core"), await load("transforms"), await load("ops/images"), await load("ops/sorting")]; // biome-ignore format: one line
  const left = () => rare.filter((source) => !begun().has(fileOf(chunks, source)));
  await core.tensor([1, 2]).add(1).data();
  expect(left()).toEqual(rare);
  const there = await needing({ ...core, ...core.ops, ...transforms, ...images, ...sorting });
  expect(left()).toEqual([]);
  expect(there).toEqual(await needing({ ...seedgrad, ...seedgrad.ops } as unknown as Parts));
});
