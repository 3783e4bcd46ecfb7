// The report of a run as a browser shows it, from its file: nothing else is asked for.
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { confusionMatrix } from "../../src/nn/metrics.ts";
import { ComputeNorm } from "../../src/train/callbacks/index.ts";
import { ReportLogger } from "../../src/train/loggers/report.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { temporaryFolder } from "../support/folder.ts";
import { brightness, evaluate, openFile } from "../support/looking.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

describe.skipIf(noChromium)("report.html in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  const makeRun = async () => {
    const modelDir = `${temporaryFolder()}/a-run`;
    const run = await toyTrainer({
      modelDir,
      loggers: [new ReportLogger()],
      callbacks: [new ComputeNorm({ perLayer: true })],
      loop: { numEpochs: 3, evalFrequency: "epoch" },
      logging: { logSteps: 1, logLevel: "silent" },
    }).fit(toyTrain(), toyTest());
    return { modelDir, run };
  };

  const open = async (modelDir: string, options: BrowserContextOptions) =>
    (await openFile(browser, `${modelDir}/report.html`, options)).page;

  test("a phone in the dark: readable, nothing wider than the screen, curves drawn", async () => {
    const { modelDir, run } = await makeRun();
    const page = await open(modelDir, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
    expect(await evaluate(page, "document.documentElement.scrollWidth")).toBe(390);
    const [corner, darkest, brightest] = await brightness(page);
    expect(corner).toBeLessThan(40);
    expect(darkest).toBeLessThan(40);
    expect(brightest).toBeGreaterThan(200);
    const titles = await evaluate<string[]>(page, "[...document.querySelectorAll('h3')].map((h) => h.textContent)");
    expect(titles).toEqual(["loss", "accuracy", "learning rate", "norm: gradient", "norm: parameter"]);
    const smallest = await evaluate<number>(
      page,
      `Math.min(...[...document.querySelectorAll("svg text")].map((text) => text.getBoundingClientRect().height))`,
    );
    expect(smallest).toBeGreaterThan(8);
    // Each path has an extent on the screen, inside its drawing.
    const boxes = await evaluate<boolean[]>(
      page,
      `[...document.querySelectorAll("path.line")].map((path) => {
        const [line, drawing] = [path.getBoundingClientRect(), path.closest("svg").getBoundingClientRect()];
        return line.width > 150 && line.left >= drawing.left && line.right <= drawing.right && line.top >= drawing.top && line.bottom <= drawing.bottom;
      })`,
    );
    expect(boxes).toHaveLength(2 + 1 + 1 + 5 + 5);
    expect(boxes.every(Boolean)).toBe(true);
    expect(await page.textContent("body")).toContain(run.digest);
  });

  test("light on a desk: charts side by side; the pointer shows a step's values", async () => {
    const { modelDir } = await makeRun();
    const page = await open(modelDir, { colorScheme: "light" });
    const [corner, , brightest] = await brightness(page);
    expect([corner > 240, brightest > 240]).toEqual([true, true]);
    const tops = await evaluate<number[]>(
      page,
      "[...document.querySelectorAll('.chart')].map((chart) => chart.getBoundingClientRect().top)",
    );
    expect(tops[0]).toBe(tops[2]);
    const loss = page.locator(".chart").first();
    const { series } = JSON.parse((await page.textContent("#series"))!);
    const shown = async () => [
      await loss.locator(".at").textContent(),
      await loss.locator(".key b").first().textContent(),
    ];
    expect(await shown()).toEqual(["step 12", String(Number(series.loss.values[11].toPrecision(4)))]);
    const box = (await loss.locator("svg").boundingBox())!;
    await page.mouse.move(box.x + 0.13 * box.width, box.y + 0.5 * box.height);
    expect(await shown()).toEqual(["step 1", String(Number(series.loss.values[0].toPrecision(4)))]);
    expect(await loss.locator(".cursor").evaluate((line) => getComputedStyle(line).visibility)).toBe("visible");
    await page.mouse.move(2, 2);
    expect((await shown())[0]).toBe("step 12");
  });

  test.each(["light", "dark"] as const)(
    "a confusion matrix, %s: counts stand out from their squares",
    async (colorScheme) => {
      const modelDir = `${temporaryFolder()}/a-run`;
      const metrics = [confusionMatrix()];
      const loop = { numEpochs: 3, evalFrequency: "epoch" } as const;
      await toyTrainer({ modelDir, metrics, loggers: [new ReportLogger()], loop }).fit(toyTrain(), toyTest());
      const page = await open(modelDir, { colorScheme });
      const seen = await evaluate<{ share: number; contrast: number }[]>(
        page,
        `[...document.querySelectorAll(".confusion rect")].map((rect) => {
        const text = rect.nextElementSibling;
        const rgb = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const share = Number(rect.getAttribute("fill-opacity"));
        const card = rgb(getComputedStyle(rect.closest("figure")).backgroundColor);
        const square = rgb(getComputedStyle(rect).fill).map((own, i) => share * own + (1 - share) * card[i]);
        const sum = (colour) => colour.reduce((a, b) => a + b, 0) / 3;
        return { share, contrast: text?.tagName === "text" ? Math.abs(sum(rgb(getComputedStyle(text).fill)) - sum(square)) : 255 };
      })`,
      );
      expect(seen).toHaveLength(4);
      for (const { contrast } of seen) expect(contrast).toBeGreaterThan(60);
    },
  );

  test("without script it is all there", async () => {
    const { modelDir, run } = await makeRun();
    const page = await open(modelDir, { javaScriptEnabled: false });
    const body = (await page.textContent("main"))!;
    for (const text of [run.digest, "the order of the data: epoch", "graph train", "engine", '"seed": "7"', "finished"])
      expect(body).toContain(text);
    expect(await page.locator("path.line").count()).toBe(14);
  });

  test("what a run is named or logs can't become markup", async () => {
    const modelDir = `${temporaryFolder()}/<img src=x onerror=alert(1)>`;
    const odd = "</script><script>document.title='taken'</script>";
    await toyTrainer({
      modelDir,
      loggers: [new ReportLogger()],
      callbacks: [
        { onTrainStepEnd: ({ trainer, step }) => trainer.logMetrics({ [odd]: step, [`${odd}/"x"`]: -step }) },
      ],
      loop: { numSteps: 3 },
    }).fit(toyTrain());
    const page = await open(modelDir, {});
    expect(await page.title()).toContain("<img src=x");
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.textContent("main")).toContain("script><script>document.title='taken'<");
    expect(JSON.parse((await page.textContent("#series"))!).series[odd].values).toEqual([1, 2, 3]);
  });
});
