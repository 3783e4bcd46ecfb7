// The page where there is WebGPU, on SwiftShader: what it says of the backends that need it; and the page without.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { demoPages } from "../support/demo.ts";
import { type Pages, servePages } from "../support/pages.ts";

/** What a worker begins with whose device flushes subnormals: nothing is in doubt there. */
const flushing = `{
  const { prototype } = GPUDevice;
  const make = prototype.createShaderModule;
  prototype.createShaderModule = function (given) {
    return make.call(this, { ...given, code: given.code.replace(/doubt \\|= [^;]*;/g, "") });
  };
}
`;

describe.skipIf(noChromium)("the page's backends in Chromium", () => {
  let pages: Pages;
  const browsers = new Map<boolean, Promise<Browser>>();

  const opened = async (link: string, webgpu: boolean): Promise<Page> => {
    const browser = browsers.get(webgpu) ?? launchChromium({ webgpu });
    browsers.set(webgpu, browser);
    const page = await (await browser).newPage();
    await page.goto(`${pages.origin}/${link}`);
    await page.waitForFunction(`document.querySelectorAll("#preset option").length > 0`);
    return page;
  };
  const found = async (page: Page, backend: string) => {
    await page.waitForFunction(
      `document.getElementById("backend-found").textContent.startsWith(${JSON.stringify(backend)}) && !/being tried/.test(document.getElementById("backend-found").textContent)`,
      undefined,
      { timeout: 300_000 },
    );
    return page.textContent("#backend-found");
  };
  const train = async (page: Page) => {
    await page.click("#train");
    await page.waitForFunction(`!document.getElementById("train").disabled`, undefined, { timeout: 300_000 });
    expect(await page.textContent("#problem")).toBe("");
    return (await page.textContent("#yours"))!;
  };

  beforeAll(async () => {
    const files = await demoPages();
    const faulty = Object.entries(files).map(([path, file]) => {
      const isWorker = /\/worker-entry[^/]*\.js$/.test(path);
      return [`/faulty${path}`, isWorker ? flushing + Buffer.from(file) : file] as const;
    });
    expect(faulty.filter(([path, file]) => file !== files[path.slice("/faulty".length)])).toHaveLength(1);
    pages = await servePages({ ...files, ...Object.fromEntries(faulty) });
  });
  afterAll(async () => {
    for (const browser of browsers.values()) await (await browser).close();
    pages?.close();
  });

  test("with an adapter: all are offered; of the chosen one the class is shown, and of gpujs:webgpu the certificate", async () => {
    const page = await opened("#preset=penguins&seed=1234&steps=2", true);
    await page.click("summary");
    expect(await found(page, "wasm")).toMatch(/^wasm: class A \(.*\), same bits as reference\.$/);
    expect(await page.isVisible("#no-gpu")).toBe(false);
    expect(await page.isVisible("#certificate")).toBe(false);

    expect(await page.evaluate(`document.querySelectorAll("#backend option:disabled").length`)).toBe(0);

    await page.selectOption("#backend", "gpujs:webgpu");
    expect(await found(page, "gpujs:webgpu")).toMatch(/class B \(.*\), same bits as reference\.$/);
    const certificate = await page.textContent("#certificate");
    expect(certificate).toMatch(
      /^gpujs:webgpu on .*swiftshader.*: \d+ of \d+ operations and \d+ kernels give class A's bits; what needs the rest runs on wasm:\n {2}\S.*: /i,
    );
  }, 900_000);

  test("webgpu trains in the page's worker to wasm's digest", async () => {
    const page = await opened("#preset=penguins&seed=1234&steps=2", true);
    await page.click("summary");
    await found(page, "wasm");
    const wanted = await train(page);
    await page.selectOption("#backend", "webgpu");
    expect(await found(page, "webgpu")).toMatch(/class B \(.*\), same bits as reference\.$/);
    expect(await train(page)).toBe(wanted);
  }, 900_000);

  test("a device that flushes subnormals is told of before the first step, and what it fails runs on wasm to its digest", async () => {
    const page = await opened("faulty/#preset=penguins&seed=1234&steps=2", true);
    await page.click("summary");
    await found(page, "wasm");
    const wanted = await train(page);
    expect(await page.textContent("#warnings")).toBe("");
    await page.selectOption("#backend", "webgpu");
    await found(page, "webgpu");
    expect(await page.textContent("#certificate")).toMatch(
      /^webgpu on .*swiftshader.*what needs the rest runs on wasm:\n {2}.*\badd: /is,
    );
    await page.evaluate(`(() => {
      const [step, warnings] = ["step", "warnings"].map((id) => document.getElementById(id));
      const look = () => { if (warnings.textContent) window.stepWhenTold ??= step.textContent; };
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    })()`);
    expect(await train(page)).toBe(wanted);
    expect(await page.evaluate("stepWhenTold")).toBe("–");
    expect(await page.textContent("#warnings")).toMatch(
      /webgpu gives other bits in [1-9]\d* of \d+ kernels, so the whole plan runs on wasm, with the right bits: \S/,
    );
  }, 900_000);

  test("without one: they can't be chosen, and the page says why; a link that names one is told the same", async () => {
    const page = await opened("#preset=penguins&seed=1234&steps=2&backend=webgpu", false);
    expect(await found(page, "webgpu")).toMatch(/^webgpu is not here: .*WebGPU/);
    expect(await page.textContent("#no-gpu")).toMatch(/^gpujs:webgpu and webgpu can’t be chosen: webgpu: .*WebGPU/);
    const off = await page.evaluate(
      `[...document.querySelectorAll("#backend option:disabled")].map((one) => one.value).sort()`,
    );
    expect(off).toEqual(["gpujs:webgpu", "webgpu"]);
    await page.click("#train");
    await page.waitForSelector("#problem:not([hidden])");
    expect(await page.textContent("#problem")).toMatch(/WebGPU/);
    await page.selectOption("#backend", "wasm");
    expect(await found(page, "wasm")).toMatch(/class A/);
    expect(await train(page)).toMatch(/^[0-9a-f]{64}$/);
  });
});
