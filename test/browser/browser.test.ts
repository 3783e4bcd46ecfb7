// The library in a real page: bundled for browsers, cross-origin isolated, the same bits as Node on every backend that runs there.
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { type Pages, servePages } from "../support/pages.ts";
import { root } from "../support/sources.ts";
import { train } from "./program.ts";

type Trained = Awaited<ReturnType<typeof train>> & { readonly threads: number };

describe.skipIf(noChromium)("in Chromium", () => {
  let pages: Pages;
  let browser: Browser;
  let page: Page;
  let script = "";
  const errors: string[] = [];

  const open = async (path: string) => {
    await page.goto(pages.origin + path);
    await page.waitForFunction("typeof train === 'function'");
  };
  /** Trains in a worker of the page. */
  const inWorker = (...args: [backend: string, threads: number | "all"]) =>
    page.evaluate(
      `new Promise((resolve, reject) => {
        const worker = new Worker("main.js", { type: "module" });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage(${JSON.stringify(args)});
      })`,
    ) as Promise<{ result?: Trained; error?: string }>;

  beforeAll(async () => {
    const bundle = await build({
      stdin: {
        // In a page: a function; in a worker: an answer to each message.
        contents: `
          import { loadBackend } from "./src/index.ts";
          import { train as run } from "./test/browser/program.ts";
          const train = async (name, threads) => {
            const backend = await loadBackend(name, { threads });
            return { ...(await run(backend)), threads: backend.threads };
          };
          if (typeof document === "object") globalThis.train = train;
          else onmessage = async ({ data }) => {
            try { postMessage({ result: await train(...data) }); } catch (error) { postMessage({ error: String(error) }); }
          };`,
        resolveDir: root,
        loader: "ts",
      },
      bundle: true,
      format: "esm",
      platform: "browser",
      minify: true,
      write: false,
    });
    script = bundle.outputFiles[0].text;
    pages = await servePages({
      "/index.html":
        "<!doctype html><title>seedgrad</title><link rel=icon href=data:,><script type=module src=main.js></script>",
      "/main.js": script,
    });
    browser = await launchChromium();
    page = await browser.newPage();
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await open("/");
  });

  afterAll(async () => {
    await browser?.close();
    pages?.close();
  });

  test("is cross-origin isolated, and the bundle holds no Node module", async () => {
    expect(await page.evaluate("crossOriginIsolated")).toBe(true);
    expect(script).not.toMatch(/["']node:/);
  });

  test.each(["reference", "wasm", "gpujs:webasm", "gpujs:cpu"])("%s gives Node's bits", async (backend) => {
    const here = await train("reference");
    const there = (await page.evaluate(`train("${backend}")`)) as Trained;
    expect(there).toEqual({ ...here, threads: 1 });
    expect(errors).toEqual([]);
  });

  test("threads: in a worker, with Node's bits; a page's own thread may not wait, and says so", async () => {
    const here = await train("reference");
    expect(await inWorker("wasm", 2)).toEqual({ result: { ...here, threads: 2 } });
    const all = await inWorker("wasm", "all");
    expect(all).toEqual({ result: { ...here, threads: await page.evaluate("navigator.hardwareConcurrency") } });
    await expect(page.evaluate(`train("wasm", 2)`)).rejects.toThrow(/main thread may not wait/);
    expect(((await page.evaluate(`train("wasm", "all")`)) as Trained).threads).toBe(1);
    expect(errors).toEqual([]);
  });

  test("where the page isn't cross-origin isolated there is one thread, and more is refused with the reason", async () => {
    await open("/plain/");
    expect(await page.evaluate("crossOriginIsolated")).toBe(false);
    const here = await train("reference");
    expect(await inWorker("wasm", "all")).toEqual({ result: { ...here, threads: 1 } });
    expect((await inWorker("wasm", 2)).error).toMatch(/isn't cross-origin isolated/);
  });
});
