// Runs' files dropped on the page, in Chromium and in Firefox.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { zipped } from "../../src/page/archive.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { demoPages } from "../support/demo.ts";
import { noFirefox, openInFirefox } from "../support/firefox.ts";
import { scratch } from "../support/folder.ts";
import { driveFirefox, dropOn, noMarionette } from "../support/marionette.ts";
import { servePages } from "../support/pages.ts";
import { root } from "../support/sources.ts";

/** Drops runs on the page in a frame, as scripts can: files in a DataTransfer. What a system hands over is another path, which the tests of folders take: below, and for Chromium in page.test.ts. */
const drops = `<!doctype html><link rel=icon href=data:,><iframe src="/" width=900 height=900></iframe><script type=module>
  const frame = document.querySelector("iframe");
  await new Promise((resolve) => (frame.onload = resolve));
  const { contentDocument: page, contentWindow: inside } = frame;
  const file = async (path) => new inside.File([await (await fetch("/runs/" + path)).arrayBuffer()], path.split("/").at(-1));
  const drop = async (box, ...paths) => {
    const found = page.querySelector("#" + box + " .found");
    found.replaceChildren();
    const dataTransfer = new inside.DataTransfer();
    for (const one of await Promise.all(paths.map(file))) dataTransfer.items.add(one);
    page.getElementById(box).dispatchEvent(new inside.DragEvent("drop", { dataTransfer, bubbles: true }));
    while (!found.querySelector("h3")) await new Promise((resolve) => setTimeout(resolve, 50));
    return found.innerText;
  };
  while (page.getElementById("published").textContent === "") await new Promise((resolve) => setTimeout(resolve, 50));
  const { loose } = await (await fetch("/runs/list.json")).json();
  const outcome = {
    zip: await drop("verify", "first.zip"),
    files: await drop("verify", ...loose.map((name) => "first/" + name)),
    two: await drop("compare", "first.zip", "second.zip"),
    nothing: await drop("verify", "list.json"),
  };
  await fetch("/outcome", { method: "POST", body: JSON.stringify(outcome) });
</script>`;

/** Two runs in a folder, `first` and `second`: their files and archives by what the pages call them. */
async function runs(folder: string): Promise<Record<string, string | Uint8Array>> {
  const served: Record<string, string | Uint8Array> = {};
  const text = readFileSync(`${root}src/presets/penguins.yaml`, "utf8");
  for (const [name, seed] of [
    ["first", 7n],
    ["second", 8n],
  ] as const) {
    const modelDir = join(folder, name);
    const { trainer, train, vals } = buildTrainer(parseConfig(text, "penguins", { seed, modelDir, maxSteps: 20 }), {
      logging: { logLevel: "silent" },
      loggers: [],
    });
    await trainer.fit(train!, [...vals]);
    const paths = readdirSync(modelDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(modelDir, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
    const files = Object.fromEntries(
      paths.map((path) => [path, new Uint8Array(readFileSync(join(modelDir, path)))] as const),
    );
    for (const [path, bytes] of Object.entries(files)) served[`/runs/${name}/${path}`] = bytes;
    served[`/runs/${name}.zip`] = await zipped(files);
    served["/runs/list.json"] = JSON.stringify({ loose: paths.filter((path) => !path.includes("/")) });
  }
  return served;
}

const folder = scratch();
let served: Awaited<ReturnType<typeof runs>>;
beforeAll(async () => {
  served = await runs(folder);
});

if (noMarionette) console.warn(`a folder dropped in Firefox skipped: ${noMarionette}`);

describe.each([
  [
    "Chromium",
    noChromium,
    async (url: string) => {
      const browser = await launchChromium();
      await (await browser.newPage()).goto(url);
      return () => browser.close();
    },
  ],
  ["Firefox", noFirefox, async (url: string) => openInFirefox(url)],
] as const)("files dropped in %s", (_, missing, openIn) => {
  test.skipIf(missing)(
    "a zip archive and a run's own files are verified, two archives compared, what is no run refused",
    async () => {
      const pages = await servePages({ ...(await demoPages()), ...served, "/drops.html": drops });
      const posted = pages.posted();
      const close = await openIn(`${pages.origin}/drops.html`);
      try {
        const outcome = JSON.parse(await posted);
        expect(outcome.zip).toMatch(/^Verified: all 20 steps/);
        expect(outcome.files).toMatch(/^Verified: all 20 steps/);
        expect(outcome.two).toMatch(/^The two runs differ/);
        expect(outcome.two).toMatch(/seed: 7 \| 8/);
        expect(outcome.nothing).toMatch(/this is no run's folder/);
      } finally {
        await close();
        pages.close();
      }
    },
  );
});

test.skipIf(noMarionette)(
  "a run's folder is dropped in Firefox, as the system hands it over",
  async () => {
    const pages = await servePages(await demoPages());
    const firefox = await driveFirefox(`${pages.origin}/`);
    try {
      const found = (box: string) =>
        firefox.run(
          "content",
          `for (;;) {
           const found = document.querySelector(given[0] + " .found");
           if (found.querySelector(given[1])) return found.innerText;
           await new Promise((resolve) => setTimeout(resolve, 50));
         }`,
          ...box.split(" "),
        );
      await dropOn(firefox, "#verify h2", join(folder, "first"));
      expect(await found("#verify h3")).toMatch(/^Verified: all 20 steps/);
      await dropOn(firefox, "#compare h2", join(folder, "first"));
      expect(await found("#compare p")).toMatch(/Now the other/);
      await dropOn(firefox, "#compare h2", join(folder, "second"));
      expect(await found("#compare h3")).toMatch(/^The two runs differ/);
    } finally {
      await firefox.close();
      pages.close();
    }
  },
  300_000,
);
