// The modules that `npm run build` writes, in a page without a bundler: found by an import map, and what isn't asked for isn't fetched.
import vm from "node:vm";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as seedgrad from "../../src/index.ts";
import { type Chunk, fileOf, loadedWith, onWasm } from "../../tools/bundle.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { libraryModules } from "../support/esm.ts";
import { type Pages, servePages } from "../support/pages.ts";
import { type Outcome, program } from "../support/small.ts";

describe.skipIf(noChromium)("modules in Chromium, by an import map", () => {
  let chunks: readonly Chunk[];
  let pages: Pages;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    chunks = await libraryModules();
    const map = JSON.stringify({ imports: { seedgrad: "/esm/seedgrad.js", "seedgrad/core": "/esm/core.js" } });
    const script = `import * as sg from "seedgrad/core"; globalThis.sg = sg;`;
    pages = await servePages({
      ...Object.fromEntries(chunks.map(({ file, code }) => [`/esm/${file}`, code])),
      "/index.html": `<!doctype html><link rel=icon href=data:,><script type=importmap>${map}</script><script type=module>${script}</script>`,
    });
    browser = await launchChromium();
    page = await browser.newPage();
    await page.goto(`${pages.origin}/`);
    await page.waitForFunction("globalThis.sg !== undefined");
  });
  afterAll(async () => {
    await browser?.close();
    pages?.close();
  });

  const files = (...sources: string[]) =>
    loadedWith(chunks, ["core.js", ...sources.map((source) => fileOf(chunks, source))]).map(
      ({ file }) => `/esm/${file}`,
    );
  const fetched = () => [...pages.asked.filter((path) => path !== "/")].sort();

  test("core alone is fetched at first; training brings the compiler and wasm; the bits are Node's", async () => {
    expect(fetched()).toEqual(files().sort());
    const here = await (vm.runInThisContext(`(${program})`) as (sg: unknown, threads: number) => Promise<Outcome>)(
      seedgrad,
      1,
    );
    expect(await page.evaluate(`(${program})(sg, 1)`)).toEqual(here);
    expect(fetched()).toEqual(files(...onWasm).sort());
  });

  test("gpu.js is fetched for a backend of it, and runs", async () => {
    const value = await page.evaluate(
      `sg.setDefaultBackend("gpujs:cpu").then(() => sg.tensor([1, 2, 3]).mul(2).array())`,
    );
    expect(value).toEqual([2, 4, 6]);
    expect(fetched()).toContain(`/esm/${fileOf(chunks, "src/backend/gpujs/backend.ts")}`);
  });

  test("the whole library shares core's files", async () => {
    expect(
      await page.evaluate(`import("seedgrad").then((all) => [all.Tensor === sg.Tensor, typeof all.Trainer])`),
    ).toEqual([true, "function"]);
  });
});
