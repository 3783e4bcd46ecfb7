// docs/guide/browser.md in a real page: its program, bundled by the command that stands there, says in Chromium what it says in Node.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { temporaryFolder } from "../support/folder.ts";
import { servePages } from "../support/pages.ts";
import { root } from "../support/sources.ts";

const guide = readFileSync(`${root}docs/guide/browser.md`, "utf8");
const block = (language: string) => guide.match(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "m"))![1];

test.skipIf(noChromium)(
  "the guide's program prints in a page and in its worker what it prints in Node",
  async () => {
    const folder = temporaryFolder();
    writeFileSync(`${folder}/train.ts`, block("ts"));
    writeFileSync(`${folder}/package.json`, '{ "type": "module" }\n');
    mkdirSync(`${folder}/node_modules/.bin`, { recursive: true });
    symlinkSync(`${root}node_modules/esbuild/bin/esbuild`, `${folder}/node_modules/.bin/esbuild`);
    const [program, ...flags] = block("sh").trim().split(" ").slice(1);
    expect(program).toBe("esbuild");
    const sources = `--alias:seedgrad=${root}src/index.ts`;
    execFileSync(`${folder}/node_modules/.bin/esbuild`, [...flags, sources], { cwd: folder, stdio: "pipe" });
    const there = execFileSync(process.execPath, ["train.js"], { cwd: folder, encoding: "utf8" });
    expect(there).toMatch(/^accuracy 0\.9\d*\n[0-9a-f]{64} [0-9a-f]{64}\n$/);

    const files = {
      "/train.js": readFileSync(`${folder}/train.js`),
      "/index.html": block("html").replace("<script", "<link rel=icon href=data:,><script"),
      "/alone.html": '<!doctype html><link rel=icon href=data:,><script type="module" src="train.js"></script>',
    };
    const pages = await servePages(files);
    const browser = await launchChromium();
    try {
      for (const path of ["/", "/alone.html", "/plain/"]) {
        const said: string[] = [];
        const page = await browser.newPage();
        page.on("console", (message) => said.push(message.text()));
        page.on("pageerror", (error) => said.push(String(error)));
        await page.goto(pages.origin + path);
        await expect.poll(() => said.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(2);
        expect(`${said.join("\n")}\n`).toBe(there);
      }
    } finally {
      await browser.close();
      pages.close();
    }
  },
  120_000,
);
