// The page of several runs as a browser shows it, from its file: nothing else is asked for.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Results } from "../../src/report/results.ts";
import { renderResults } from "../../src/report/sweep.ts";
import { type Aims, type ListedRun, resultsOf } from "../../src/sweep/results.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { temporaryFolder } from "../support/folder.ts";
import { brightness, evaluate, openFile } from "../support/looking.ts";
import { trainPenguins } from "../support/several.ts";

const width = "trainer.init.model.sizes";
const rate = "trainer.init.optimizer.AdamW.learning_rate";

describe.skipIf(noChromium)("sweep.html in Chromium", () => {
  let browser: Browser;
  let folder: string;
  const folders: string[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "seedgrad-sweep-page-"));
    for (const [hidden, learningRate] of [
      [4, 0.05],
      [4, 0.01],
      [16, 0.05],
    ])
      for (const seed of [1, 2]) {
        folders.push(join(folder, `run-${hidden}-${learningRate}-${seed}`));
        await trainPenguins(folders.at(-1)!, seed, [`${width}=[9, ${hidden}, 3]`, `${rate}=${learningRate}`]);
      }
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const listed = (): ListedRun[] => folders.map((path) => ({ folder: path }));
  const aims: Aims = { target: { name: "accuracy", value: 0.9 } };
  const open = async (results: Results, options: BrowserContextOptions = {}, title = "Runs compared") => {
    const path = join(temporaryFolder(), "sweep.html");
    writeFileSync(path, renderResults(results, title));
    return openFile(browser, path, options);
  };
  const column = (page: Page, heading: string, nth = 0) =>
    evaluate<string[]>(
      page,
      `(() => {
        const table = document.querySelector("table.sorts");
        const at = [...table.tHead.rows[0].cells].map((cell, i) => [cell.textContent, i]).filter(([text]) => text === ${JSON.stringify(heading)})[${nth}][1];
        return [...table.tBodies[0].rows].map((row) => row.cells[at].dataset.value);
      })()`,
    );

  test("a phone in the dark: readable, nothing wider than the screen, every curve drawn inside its chart", async () => {
    const results = resultsOf(listed(), aims);
    const { page, trouble } = await open(results, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
    expect(await evaluate(page, "document.documentElement.scrollWidth")).toBe(390);
    const [corner, darkest, brightest] = await brightness(page);
    expect([corner < 40, darkest < 40, brightest > 200]).toEqual([true, true, true]);
    const headings = await evaluate<string[]>(page, "[...document.querySelectorAll('h2')].map((h) => h.textContent)");
    expect(headings).toEqual([
      "Runs",
      "Curves",
      "Settings and val_accuracy",
      "Over seeds",
      "Steps to val_accuracy ≥ 0.9",
    ]);
    const boxes = await evaluate<boolean[]>(
      page,
      `[...document.querySelectorAll(".overlaid path.line")].map((path) => {
        const [line, drawing] = [path.getBoundingClientRect(), path.closest("svg").getBoundingClientRect()];
        return line.width > 150 && line.left >= drawing.left && line.right <= drawing.right && line.top >= drawing.top && line.bottom <= drawing.bottom;
      })`,
    );
    expect(boxes).toHaveLength(3 * 6);
    expect(boxes.every(Boolean)).toBe(true);
    const smallest = await evaluate<number>(
      page,
      `Math.min(...[...document.querySelectorAll("svg text")].map((text) => text.getBoundingClientRect().height))`,
    );
    expect(smallest).toBeGreaterThan(8);
    const text = (await page.textContent("main"))!;
    for (const { name } of results.runs) expect(text).toContain(name.slice(folder.length + 1));
    expect(trouble).toEqual([]);
  });

  test("light on a desk: the settings as axes, a line per run, what is better above; runs of one setting in one colour", async () => {
    const results = resultsOf(listed(), aims);
    const { page } = await open(results, { colorScheme: "light" });
    expect((await brightness(page))[0]).toBeGreaterThan(240);
    const titles = await evaluate<string[]>(
      page,
      "[...document.querySelectorAll('.parallel .title')].map((t) => t.textContent)",
    );
    expect(titles).toEqual(["sizes[1]", "learning_rate", "val_accuracy"]);
    const lines = await evaluate<{ run: number; end: number; colour: string }[]>(
      page,
      `[...document.querySelectorAll(".parallel g[data-run]")].map((group) => {
        const path = group.querySelector("path");
        return { run: Number(group.dataset.run), end: Number(path.getAttribute("d").split("L").at(-1).split(" ")[1]), colour: getComputedStyle(path).stroke };
      })`,
    );
    expect(lines.map(({ run }) => run)).toEqual([0, 1, 2, 3, 4, 5]);
    const value = (i: number) => results.runs[i].metrics.val_accuracy.best!;
    for (const a of lines)
      for (const b of lines) {
        if (value(a.run) > value(b.run)) expect(a.end).toBeLessThan(b.end);
        expect(a.colour === b.colour).toBe(Math.floor(a.run / 2) === Math.floor(b.run / 2));
      }
    expect(await page.locator(".best pre").textContent()).toBe(
      results.groups[results.ranked[0]].runs.map((i) => `seedgrad verify ${folders[i]}`).join("\n"),
    );
  });

  test("the table sorts by a click and by the keyboard, in either direction; what has no value comes last", async () => {
    const planned = (i: number, settings: object, more: Partial<ListedRun> = {}) => ({
      ...{ folder: folders[i], name: `planned-${i}`, settings: settings as ListedRun["settings"], seed: String(i) },
      ...more,
    });
    const settings = { [rate]: 0.05 };
    const results = resultsOf([
      planned(0, settings),
      planned(1, settings, { folder: join(folder, "nothing") }),
      planned(4, settings),
      planned(2, { [rate]: 0.01 }, { state: "running" }),
    ]);
    const { page, trouble } = await open(results);
    const losses = await column(page, "val_loss");
    expect(losses[1]).toBe("");
    const ascending = [...losses].filter(Boolean).sort((a, b) => Number(a) - Number(b));
    const heading = page.locator("th", { hasText: "val_loss" }).first();
    await heading.locator("button").click();
    expect(await column(page, "val_loss")).toEqual([...ascending, ""]);
    expect(await heading.getAttribute("aria-sort")).toBe("ascending");
    await heading.locator("button").focus();
    await page.keyboard.press("Enter");
    expect(await column(page, "val_loss")).toEqual([...ascending.reverse(), ""]);
    expect(await heading.getAttribute("aria-sort")).toBe("descending");
    // Text sorts as text; one column at a time says that it is sorted.
    await page.locator("th button", { hasText: "state" }).focus();
    await page.keyboard.press("Space");
    expect(await column(page, "state")).toEqual(["finished", "finished", "missing", "running"]);
    expect(await page.locator("th[aria-sort]").count()).toBe(1);
    expect(await column(page, "run")).toContain("planned-1");
    expect(trouble).toEqual([]);
  });

  test("the pointer shows the nearest run's value; a name or a key brings its runs out, by the keyboard too, and stays", async () => {
    const results = resultsOf(listed());
    const { page, trouble } = await open(results);
    const chart = page.locator('.overlaid[data-metric="val_loss"]');
    await chart.scrollIntoViewIfNeeded();
    const box = (await chart.locator("svg").boundingBox())!;
    await page.mouse.move(box.x + 0.95 * box.width, box.y + 0.9 * box.height);
    const last = results.runs.map(({ metrics }) => metrics.val_loss.last);
    const least = last.indexOf(Math.min(...last));
    expect(await chart.locator(".at").textContent()).toMatch(
      new RegExp(`^run-.*${results.runs[least].name.split("-").at(-1)} · step 12 · ${String(last[least]).slice(0, 5)}`),
    );
    expect(await chart.locator(".cursor").evaluate((line) => getComputedStyle(line).visibility)).toBe("visible");
    await page.mouse.move(2, 2);
    expect(await chart.locator(".at").textContent()).toBe("step 12");
    const out = () =>
      evaluate<number[]>(page, `[...document.querySelectorAll(".parallel g.on")].map((g) => Number(g.dataset.run))`);
    expect(await out()).toEqual([]);
    const key = page.locator(".legend .pick").first();
    await key.focus();
    const { runs: own } = results.groups[results.ranked[0]];
    expect(await out()).toEqual(own);
    await page.keyboard.press("Enter");
    expect(await key.getAttribute("aria-pressed")).toBe("true");
    await page.locator("th button").first().focus();
    expect(await out()).toEqual(own);
    const dim = await evaluate<number[]>(
      page,
      `[...document.querySelectorAll(".overlaid g[data-run]:not(.on)")].map((g) => Number(getComputedStyle(g).opacity))`,
    );
    expect(dim).toHaveLength(3 * 4);
    expect(Math.max(...dim)).toBeLessThan(0.2);
    await key.focus();
    await page.keyboard.press("Enter");
    await page.mouse.move(2, 2);
    await key.blur();
    expect(await out()).toEqual([]);
    expect(trouble).toEqual([]);
  });

  test("without script it is all there; quartiles and values are those of the results", async () => {
    const results = resultsOf(listed(), aims);
    const { page } = await open(results, { javaScriptEnabled: false });
    const text = (await page.textContent("main"))!;
    for (const { digest } of results.runs) expect(text).toContain(digest!.slice(0, 16));
    expect(await page.locator(".overlaid path.line").count()).toBe(18);
    const spreads = page.locator(".spread");
    // Accuracy, loss, and steps to the target.
    expect(await spreads.count()).toBe(3);
    for (let i = 0; i < 3; i++) expect(await spreads.nth(i).locator("circle").count()).toBe(6);
    const titles = await spreads.nth(1).locator("circle title").allTextContents();
    const expected = [...results.ranked]
      .flatMap((i) => results.groups[i].runs)
      .map((i) => `${folders[i]}: ${results.runs[i].metrics.val_loss.best}`);
    expect(titles).toEqual(expected);
  });

  test("runs that haven't begun, one that can't be read, and many settings", async () => {
    const none = resultsOf([1, 2].map((i) => ({ folder: join(folder, `none-${i}`), settings: { [rate]: i } })));
    const { page } = await open(none);
    expect(await page.textContent("main")).toContain("No run has taken a step yet.");
    expect(await page.locator(".pill.missing").count()).toBe(2);
    const broken = join(temporaryFolder(), "broken");
    mkdirSync(broken);
    copyFileSync(join(folders[0], "manifest.json"), join(broken, "manifest.json"));
    const many: ListedRun[] = Array.from({ length: 250 }, (_, i) => ({
      ...{
        folder: i === 249 ? broken : folders[i % 6],
        name: `m${i}`,
        settings: { [rate]: i / 100, [width]: [9, i, 3] },
        seed: "1",
      },
    }));
    const { page: full, trouble } = await open(resultsOf(many, aims), { viewport: { width: 390, height: 844 } });
    expect(await evaluate(full, "document.documentElement.scrollWidth")).toBe(390);
    expect(await full.locator(".pill.failed").getAttribute("title")).toMatch(/chain\.bin/);
    expect(await full.textContent("main")).toContain("and 226 more in the table");
    expect(await full.textContent("main")).toContain("Of the 200 runs of the best settings");
    expect(await full.locator(".parallel g[data-run]").count()).toBe(200);
    expect(await full.locator(".legend .pick").count()).toBe(24);
    expect(await full.locator("tbody tr[data-run]").count()).toBe(250);
    expect(trouble).toEqual([]);
  });

  test("what a run or a setting is named can't become markup", async () => {
    const odd = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>";
    const results = resultsOf([
      { folder: folders[0], name: odd, settings: { [`a.${odd}`]: odd }, seed: "1" },
      { folder: folders[1], name: "other", settings: { [`a.${odd}`]: '" onmouseover="x' }, seed: "2" },
    ]);
    const { page, trouble } = await open(results, {}, odd);
    expect(await page.title()).toContain("<img src=x");
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator("[onmouseover]").count()).toBe(0);
    expect(trouble).toEqual([]);
  });
});
