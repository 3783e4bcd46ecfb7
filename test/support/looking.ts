// A page that is one file, opened in a browser from it: nothing else may be asked for, and nothing may go wrong.
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";

/** Opens a file, offline; fails where the page asks for anything else, throws, or writes to the console while it loads. `trouble` goes on listening. */
export async function openFile(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<{ readonly page: Page; readonly trouble: readonly string[] }> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, offline: true, ...options });
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on("pageerror", (error) => trouble.push(String(error)));
  page.on("console", (message) => trouble.push(message.text()));
  page.on("request", (request) => !request.url().startsWith("data:") && trouble.push(request.url()));
  const url = pathToFileURL(path).href;
  await page.goto(url);
  expect(trouble).toEqual([url]);
  trouble.pop();
  return { page, trouble };
}

/** What a page makes of some code. */
export const evaluate = <T>(page: Page, code: string) => page.evaluate(code) as Promise<T>;

/** The brightness of the page's upper left corner, and of its darkest and brightest pixels there, as drawn, in [0, 255]. */
export async function brightness(page: Page): Promise<[number, number, number]> {
  const shot = (await page.screenshot({ clip: { x: 0, y: 0, width: 300, height: 120 } })).toString("base64");
  return evaluate(
    page,
    `(async () => {
      const image = new Image();
      image.src = "data:image/png;base64,${shot}";
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: 300, height: 120 });
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, 300, 120);
      const all = Array.from({ length: 300 * 120 }, (_, i) => (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3);
      return [all[0], Math.min(...all), Math.max(...all)];
    })()`,
  );
}
