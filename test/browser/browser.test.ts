// The library in a real page: bundled for browsers, cross-origin isolated, the same bits as Node on every backend that runs there.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { root } from "../support/sources.ts";
import { train } from "./program.ts";

const headers = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};

describe.skipIf(noChromium)("in Chromium", () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  let script = "";
  const errors: string[] = [];

  beforeAll(async () => {
    const bundle = await build({
      stdin: {
        contents: `import { train } from "./test/browser/program.ts"; globalThis.train = train;`,
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
    server = createServer((request, response) => {
      const js = request.url === "/main.js";
      response.writeHead(200, { ...headers, "content-type": js ? "text/javascript" : "text/html" });
      response.end(
        js
          ? script
          : "<!doctype html><title>seedgrad</title><link rel=icon href=data:,><script type=module src=/main.js></script>",
      );
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    browser = await launchChromium();
    page = await browser.newPage();
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction("typeof train === 'function'");
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test("is cross-origin isolated, and the bundle holds no Node module", async () => {
    expect(await page.evaluate("crossOriginIsolated")).toBe(true);
    expect(script).not.toMatch(/["']node:/);
  });

  test.each(["reference", "wasm", "gpujs:webasm", "gpujs:cpu"])(
    "%s gives Node's bits",
    async (backend) => {
      const here = await train("reference");
      const there = (await page.evaluate(`train("${backend}")`)) as Awaited<ReturnType<typeof train>>;
      expect(there).toEqual(here);
      expect(errors).toEqual([]);
    },
    60_000,
  );
});
