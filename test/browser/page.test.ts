// The page that trains, as it is built: opened, used by mouse, keyboard and link, in Chromium. In Firefox: drops.test.ts.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Browser, Page } from "playwright-core";
import * as vite from "vite";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { decodeZip } from "../../src/io/zip.ts";
import { publishedOf } from "../../src/page/presets.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { demoFolder, demoPages } from "../support/demo.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Pages, servePages } from "../support/pages.ts";
import { root } from "../support/sources.ts";

const plain = (digest: string | null) => digest?.replaceAll(/\s/g, "");
const digestOf = (preset: string) => publishedOf(preset)!.digest;

const noPython = spawnSync("python3", ["--version"]).status !== 0;
if (noPython) console.warn("the page on a plain server skipped: no python3 here; npm run setup:system installs it");

let pages: Pages;
beforeAll(async () => {
  pages = await servePages(await demoPages());
});
afterAll(() => pages?.close());

describe.skipIf(noChromium)("the page in Chromium", () => {
  let browser: Browser;
  let page: Page;
  const said: string[] = [];

  const open = async (path: string) => {
    await page.goto("about:blank");
    await page.goto(pages.origin + path);
    await page.waitForFunction(`document.querySelectorAll("#preset option").length > 0`);
  };
  const train = async () => {
    await page.click("#train");
    await page.waitForFunction(`!document.getElementById("train").disabled`);
  };
  const text = (selector: string) => page.textContent(selector);
  const judged = async (box: string) => {
    await page.waitForSelector(`${box} h3`);
    return page.innerText(`${box} .found`);
  };
  /** The run's folder as the page saves it. */
  const saved = async () => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
    return {
      name: download.suggestedFilename(),
      mimeType: "application/zip",
      buffer: readFileSync(await download.path()),
    };
  };

  beforeAll(async () => {
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
    page.on("console", (message) => {
      // Chromium's own word where a page asks for a WebGPU adapter and there is none.
      const isAdapter = message.text() === "No available adapters.";
      if (!isAdapter && ["error", "warning"].includes(message.type())) said.push(message.text());
    });
    page.on("pageerror", (error) => said.push(error.message));
  });
  beforeEach(() => void said.splice(0));
  afterAll(() => browser?.close());

  test("mnist-mlp: the first screen says what is to come out, and it comes out", async () => {
    await open("/");
    expect(plain(await text("#published"))).toBe(digestOf("mnist-mlp"));
    expect(await text("#verdict")).toBe("Not trained yet");
    expect(await page.isVisible("#save")).toBe(false);
    await train();
    expect(await text("#verdict")).toBe("Your machine got the same 64 digits");
    expect(plain(await text("#yours"))).toBe(digestOf("mnist-mlp"));
    expect(await page.getAttribute("#result", "data-found")).toBe("same");
    expect(await text("#step")).toBe("2,811 of 2,811");
    expect(await text("#told")).toMatch(/^100 percent of the steps, loss /);
    expect(await page.getAttribute("#loss-chart", "aria-label")).toMatch(/training .*, validation /);
    expect(await page.getAttribute("#metric-chart", "aria-label")).toMatch(/validation 0\.97/);
    expect(await page.locator("canvas").count()).toBe(2);
    expect(await page.locator(".labelled li").count()).toBe(24);
    expect(await text(".labelled")).toMatch(/^721041/);
    expect(page.url()).toMatch(/#preset=mnist-mlp&seed=1234$/);
    expect(said).toEqual([]);
  });

  test("another seed: nothing published to compare with, and it says so; what was saved is verified, what was changed isn't, and two differ by their seed", async () => {
    await open("/#preset=penguins&seed=7");
    expect(await text("#published")).toBe("none to compare with");
    await train();
    expect(await text("#verdict")).toBe("Trained: this is your run’s digest");
    expect(plain(await text("#yours"))).toMatch(/^[0-9a-f]{64}$/);
    const seven = await saved();
    expect(seven.name).toBe("penguins-7.zip");

    await open("/");
    const verify = `#verify input[data-kind="zip"]`;
    await page.setInputFiles(verify, seven);
    expect(await judged("#verify")).toMatch(/^Verified: all 400 steps came out the same/);

    const broken = Buffer.from(seven.buffer);
    const chain = broken.indexOf("chain.bin") + 200;
    broken[chain] ^= 1;
    await page.evaluate(`document.querySelector("#verify .found").replaceChildren()`);
    await page.setInputFiles(verify, { ...seven, buffer: broken });
    expect(await judged("#verify")).not.toMatch(/^Verified/);
    expect(await page.getAttribute("#verify h3", "data-found")).toBe("different");

    await open("/#preset=penguins&seed=8");
    await train();
    await page.click("#compare-own");
    await page.waitForSelector("#compare .found p");
    await page.setInputFiles(`#compare input[data-kind="zip"]`, seven);
    const found = await judged("#compare");
    expect(found).toMatch(/^The two runs differ/);
    expect(found).toMatch(/seed: 8 \| 7/);
    expect(said).toEqual([]);
  });

  test("data that this package brings, and data by formula", async () => {
    for (const preset of ["digits-vit", "pinn"]) {
      await open(`/#preset=${preset}&seed=1234&steps=20`);
      await train();
      expect(await text("#problem")).toBe("");
      expect(plain(await text("#yours"))).toMatch(/^[0-9a-f]{64}$/);
    }
    expect(said).toEqual([]);
  });

  test("a run's folder is dropped, as the system hands it over", async () => {
    await open("/#preset=penguins&seed=1234&steps=20");
    await train();
    const { name, buffer } = await saved();
    const folder = join(temporaryFolder(), "a run");
    for (const [path, bytes] of decodeZip(name, buffer)) {
      if (path.endsWith("/")) continue;
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    const place = page.locator("#verify h2");
    await place.scrollIntoViewIfNeeded();
    const { x, y } = (await place.boundingBox())!;
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: [folder], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const)
      await session.send("Input.dispatchDragEvent", { type, x: x + 5, y: y + 5, data });
    expect(await judged("#verify")).toMatch(/^Verified: all 20 steps/);
    expect(said).toEqual([]);
  });

  test.skipIf(noPython)(
    "built as static files, in a folder of a server that knows nothing of it: one thread, the same digest",
    async () => {
      const site = temporaryFolder();
      cpSync(await demoFolder(), `${site}/some/where`, { recursive: true });
      const args = ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", site];
      const server = spawn("python3", args, { stdio: ["ignore", "pipe", "ignore"] });
      try {
        const [line] = (await once(server.stdout, "data")) as [Buffer];
        const port = String(line).match(/ port (\d+)/)![1];
        await page.goto(`http://127.0.0.1:${port}/some/where/#preset=penguins&seed=1234`);
        await page.waitForFunction(`document.querySelectorAll("#preset option").length > 0`);
        await page.click("summary");
        expect(await page.evaluate("crossOriginIsolated")).toBe(false);
        expect(await text("#isolation")).toMatch(/one thread/);
        await train();
        expect(await text("#verdict")).toBe("Your machine got the same 64 digits");
        expect(await text("#more")).toMatch(/on wasm, 1 thread\./);
        expect(said).toEqual([]);
      } finally {
        server.kill();
      }
    },
  );

  test("the keyboard: everything is reached in order, Enter trains, Stop gives the focus back", async () => {
    await open("/");
    const focused = () =>
      page.evaluate(`document.activeElement.id || document.activeElement.className || document.activeElement.tagName`);
    const order: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      await page.keyboard.press("Tab");
      order.push(await focused());
    }
    expect(order).toEqual(["skip", "preset", "seed", "train", "SUMMARY"]);
    await page.focus("#seed");
    await page.keyboard.press("Enter");
    await page.waitForFunction(`document.getElementById("verdict").textContent === "Training …"`);
    await page.focus("#stop");
    await page.keyboard.press("Enter");
    await page.waitForFunction(`document.getElementById("verdict").textContent === "Stopped"`);
    expect(await focused()).toBe("train");
    const nameless = await page.evaluate(
      `[...document.querySelectorAll("input, select, button, progress, [role=img]")].filter((one) => !one.labels?.length && !one.ariaLabel && !(one.tagName === "BUTTON" && one.textContent)).map((one) => one.outerHTML)`,
    );
    expect(nameless).toEqual([]);
  });

  test("a link that says nonsense, and data that the server hasn't: said in words, with a way out", async () => {
    await open("/#preset=mnist-mpl");
    expect(await page.getAttribute("#problem", "role")).toBe("alert");
    expect(await text("#problem")).toMatch(/mnist-mlp/);
    const missing = await servePages(await withoutData());
    try {
      await page.goto(`${missing.origin}/#preset=penguins&seed=1234`);
      await train();
      expect(await text("#verdict")).toBe("Not trained");
      expect(await text("#problem")).toMatch(/penguins\.json\.gz: the file can't be fetched/);
      await page.click("summary");
      const path = "node_modules/vega-datasets/data";
      await page.setInputFiles("#data", [`${path}/penguins.json`, `${path}/cars.json`]);
      await train();
      expect(await text("#verdict")).toBe("Your machine got the same 64 digits");
    } finally {
      missing.close();
    }
  });

  test("the dev server: the sources themselves, isolated, come to the same digest", async () => {
    const cacheDir = temporaryFolder();
    const server = await vite.createServer({
      ...{ configFile: `${root}tools/demo.ts`, logLevel: "error", cacheDir },
      server: { host: "127.0.0.1", port: 0, ws: false },
    });
    try {
      await server.listen();
      await page.goto(`${server.resolvedUrls!.local[0]}#preset=penguins&seed=1234`);
      await page.waitForFunction(`document.querySelectorAll("#preset option").length > 0`);
      expect(await page.evaluate("crossOriginIsolated")).toBe(true);
      await train();
      expect(await text("#verdict")).toBe("Your machine got the same 64 digits");
    } finally {
      await server.close();
    }
  });

  test("a phone, light and dark: nothing is wider than the screen, and colours follow", async () => {
    await page.setViewportSize({ width: 375, height: 780 });
    const grounds: unknown[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await open("/#preset=penguins&seed=1234&steps=20");
      await train();
      expect(await page.evaluate(`document.documentElement.scrollWidth <= innerWidth`)).toBe(true);
      grounds.push(await page.evaluate(`getComputedStyle(document.body).backgroundColor`));
    }
    expect(grounds[0]).not.toEqual(grounds[1]);
  });
});

async function withoutData(): Promise<Record<string, Uint8Array>> {
  const all = await demoPages();
  return Object.fromEntries(Object.entries(all).filter(([path]) => !path.startsWith("/data/")));
}
