// The sampled version of test:engines: this Node as it is, and without the processor's SIMD; and what docs/engines.md and the README say is what comes out here.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noChromium } from "../support/chromium.ts";
import { libraryModules } from "../support/esm.ts";
import { root } from "../support/sources.ts";
import { ask, bundle } from "./lane.ts";
import { engines } from "./list.ts";
import { type Matrix, matrixPage, matrixPath, readMatrix, summary } from "./matrix.ts";
import { askPage, browsers, serveLanes } from "./page.ts";
import { quick, shortForms } from "./presets.ts";

let program: Awaited<ReturnType<typeof bundle>>;
beforeAll(async () => {
  program = await bundle();
});
afterAll(() => program?.remove());

/** Digests by preset that a Node with flags comes to. */
async function digests(flags: readonly string[], lane: string, presets: readonly string[]) {
  const heard: string[] = [];
  const { answers, problem } = await ask([process.execPath, ...flags], program.path, lane, presets, ({ preset }) =>
    heard.push(preset),
  );
  expect(problem).toBeUndefined();
  expect(heard).toEqual(presets);
  return Object.fromEntries(answers.map(({ preset, digest }) => [preset, digest]));
}

test("this Node comes to the digests of docs/engines.md, on each thread and on the executable meaning", async () => {
  const { digests: published } = readMatrix();
  expect(await digests([], "wasm/2", Object.keys(shortForms))).toEqual(published);
  const some = Object.fromEntries(quick.map((preset) => [preset, published[preset]]));
  expect(await digests([], "reference", quick)).toEqual(some);
});

test.runIf(process.arch === "x64")("and without the processor's SIMD", async () => {
  const { digests: published } = readMatrix();
  const some = Object.fromEntries(quick.map((preset) => [preset, published[preset]]));
  expect(await digests(["--no-enable-sse4-1"], "wasm/1", quick)).toEqual(some);
});

// On webgpu, test/browser/webgpu.test.ts.
test.skipIf(noChromium)("a page of Chromium does on two threads, and tells of each preset as it comes", async () => {
  const { digests: published } = readMatrix();
  const presets = ["cars", "mnist-mlp"];
  const expected = presets.map((preset) => [preset, published[preset]]);
  const pages = await serveLanes(await libraryModules());
  const heard: string[][] = [];
  const { answers, problem } = await askPage(browsers.chromium, pages, "/", "wasm/2", presets, ({ preset, digest }) =>
    heard.push([preset, digest]),
  );
  pages.close();
  expect(problem).toBeUndefined();
  expect(answers.map(({ preset, digest }) => [preset, digest])).toEqual(expected);
  expect(heard).toEqual(expected);
});

test("docs/engines.md is as test:engines writes it, of engines that it has, and the README says what it comes to", () => {
  const text = readFileSync(matrixPath, "utf8");
  const matrix = readMatrix(text);
  expect(matrixPage(matrix)).toBe(text);
  const names = engines.map(({ name }) => name);
  expect(matrix.rows.map(({ name }) => name)).toEqual(
    names.filter((name) => matrix.rows.some((row) => row.name === name)),
  );
  expect(readFileSync(`${root}README.md`, "utf8")).toContain(summary(matrix));
});

test("a row that is wrong somewhere is kept as it is, and isn't counted in the summary", () => {
  const sound = { name: "node-20", engine: "Node 20.1.0", processor: "x64", cells: { reference: "5", "wasm/1": "10" } };
  const wrong = {
    name: "bun",
    engine: "Bun 1.4.5",
    processor: "arm64 (qemu)",
    cells: { "wasm/2": "4, **pinn differs**" },
  };
  const again = { name: "bun-again", engine: "Bun 1.4.5, again", processor: "arm64 (qemu)", cells: { reference: "5" } };
  const matrix: Matrix = {
    digests: Object.fromEntries(Object.keys(shortForms).map((preset) => [preset, "00ff"])),
    rows: [sound, wrong, again],
  };
  expect(readMatrix(matrixPage(matrix))).toEqual(matrix);
  expect(summary(matrix)).toMatch(/in Node 20 on x64:/);
});
