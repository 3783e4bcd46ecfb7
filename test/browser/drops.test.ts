// Runs' files dropped on the page, in Chromium and in Firefox, which trains before.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { zipped } from "../../src/page/archive.ts";
import { publishedOf } from "../../src/page/presets.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { demoPages } from "../support/demo.ts";
import { noFirefox, openInFirefox } from "../support/firefox.ts";
import { scratch } from "../support/folder.ts";
import { driveFirefox, dropOn, noMarionette } from "../support/marionette.ts";
import { servePages } from "../support/pages.ts";
import { root } from "../support/sources.ts";

/** Drops runs on the page in a frame, as scripts can: files in a DataTransfer; with ?train it trains there first. What a system hands over is another path, which the tests of folders take: below, and for Chromium in page.test.ts. */
const drops = `<!doctype html><link rel=icon href=data:,><iframe src="/#preset=penguins&seed=1234" width=900 height=900></iframe><script type=module>
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
    await wait(() => found.querySelector("h3"));
    return found.innerText;
  };
  const wait = async (done) => { while (!done()) await new Promise((resolve) => setTimeout(resolve, 50)); };
  const train = async () => {
    page.getElementById("train").click();
    await wait(() => !page.getElementById("train").disabled);
    page.getElementById("verify-own").click();
    await wait(() => page.querySelector("#verify h3"));
    const text = (selector) => page.querySelector(selector).textContent;
    return { verdict: text("#verdict"), yours: text("#yours"), problem: text("#problem"), verified: text("#verify h3") };
  };
  await wait(() => page.getElementById("published").textContent !== "");
  const { loose } = await (await fetch("/runs/list.json")).json();
  const outcome = {
    trained: location.search === "?train" ? await train() : undefined,
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

/** What the page that drops, opened so, comes to. */
async function outcomeOf(query: string, openIn: (url: string) => Promise<() => unknown>) {
  const pages = await servePages({ ...(await demoPages()), ...served, "/drops.html": drops });
  const posted = pages.posted();
  const close = await openIn(`${pages.origin}/drops.html${query}`);
  try {
    return JSON.parse(await posted);
  } finally {
    await close();
    pages.close();
  }
}

describe.each([
  [
    "Chromium",
    noChromium,
    "",
    async (url: string) => {
      const browser = await launchChromium();
      await (await browser.newPage()).goto(url);
      return () => browser.close();
    },
  ],
  ["Firefox", noFirefox, "?train", async (url: string) => openInFirefox(url)],
] as const)("in %s", (_, missing, query, openIn) => {
  let outcome: Awaited<ReturnType<typeof outcomeOf>>;
  beforeAll(async () => {
    if (!missing) outcome = await outcomeOf(query, openIn);
  });

  if (query !== "")
    test.skipIf(missing)("the page trains to the published digest, and verifies its run", () => {
      expect(outcome.trained).toMatchObject({
        verdict: "Your machine got the same 64 digits",
        problem: "",
        verified: expect.stringMatching(/^Verified: all \d+ steps/),
      });
      expect(outcome.trained.yours.replaceAll(/\s/g, "")).toBe(publishedOf("penguins")!.digest);
    });

  test.skipIf(missing)(
    "of dropped files a zip archive and a run's own are verified, two archives compared, what is no run refused",
    () => {
      expect(outcome.zip).toMatch(/^Verified: all 20 steps/);
      expect(outcome.files).toMatch(/^Verified: all 20 steps/);
      expect(outcome.two).toMatch(/^The two runs differ/);
      expect(outcome.two).toMatch(/seed: 7 \| 8/);
      expect(outcome.nothing).toMatch(/this is no run's folder/);
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
