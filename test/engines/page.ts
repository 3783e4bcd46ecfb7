// A lane in a page: the short forms trained by `seedgrad/worker` in a browser, which posts what they came to.
import { readFileSync } from "node:fs";
import { setTimeout as late } from "node:timers/promises";
import { dataFiles, dataOf } from "../../src/page/presets.ts";
import { beside, besideBytes } from "../../tools/beside.ts";
import { bundle, type Chunk } from "../../tools/bundle.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { noFirefox, openInFirefox } from "../support/firefox.ts";
import { type Pages, servePages } from "../support/pages.ts";
import { root } from "../support/sources.ts";
import { noWebKit, openInWebKit } from "../support/webkit.ts";
import { type Answer, type Answers, type Heard, longest } from "./lane.ts";
import { shortened, shortForms } from "./presets.ts";

/** Opens a page. Gives what ends it, and the browser's version where the page can't say it. */
type Open = (url: string) => Promise<{ readonly close: () => unknown; readonly version?: string }>;

/** A browser, and why there is none here. */
export interface PageEngine {
  readonly missing: string | undefined;
  readonly open: Open;
}

const chromium = (webgpu: boolean): PageEngine => ({
  missing: noChromium ? "no Chromium here: npm run setup:system installs it" : undefined,
  async open(url: string) {
    const browser = await launchChromium({ webgpu });
    await (await browser.newPage()).goto(url);
    return { version: browser.version(), close: () => browser.close() };
  },
});

export const browsers = {
  chromium: chromium(false),
  "chromium-webgpu": chromium(true),
  firefox: {
    missing: noFirefox ? "no Firefox here: npm run setup:system installs it" : undefined,
    open: async (url: string) => ({ close: openInFirefox(url) }),
  },
  webkitgtk: { missing: noWebKit, open: openInWebKit },
} as const satisfies Readonly<Record<string, PageEngine>>;

/** What a page is asked by its link. */
interface Asked {
  readonly backend: string;
  readonly threads: number;
  readonly presets: readonly string[];
}

/** What a page posts after each preset. */
interface Outcome extends Answers {
  readonly isolated: boolean;
  readonly isWhole: boolean;
}

/** How each preset is trained in a page. */
const jobs = Object.fromEntries(
  Object.keys(shortForms).map((preset) => {
    const config = readFileSync(`${root}src/presets/${preset}.yaml`, "utf8");
    const files = Object.fromEntries(dataOf(config).map((path) => [`${path}.gz`, `/${dataFiles[path]}`]));
    return [preset, { config, name: preset, overrides: shortened(preset), files, keepFiles: true }];
  }),
);

const script = `
  import { startTraining } from "seedgrad/worker";
  const jobs = ${JSON.stringify(jobs)};
  const { presets, ...how } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  const version = navigator.userAgent.match(/Firefox\\/([\\d.]+)/)?.[1] ?? "";
  const outcome = { isolated: crossOriginIsolated, answers: [], isWhole: false };
  const post = () => fetch("/outcome", { method: "POST", body: JSON.stringify(outcome) });
  try {
    for (const preset of presets) {
      const { digest, threads } = await startTraining({ ...jobs[preset], ...how });
      outcome.answers.push({ preset, digest, threads, version });
      if (preset !== presets.at(-1)) await post();
    }
  } catch (error) {
    outcome.problem = String(error);
  }
  outcome.isWhole = true;
  await post();`;

/** Serves the library as modules, bundled unless it is given, the presets' data, and the page that trains. */
export async function serveLanes(library?: readonly Chunk[]): Promise<Pages> {
  const chunks = library ?? (await bundle());
  const map = JSON.stringify({ imports: { "seedgrad/worker": "/esm/worker.js" } });
  return servePages({
    ...Object.fromEntries(chunks.map(({ file, code }) => [`/esm/${file}`, code])),
    ...Object.fromEntries(beside.map((path) => [`/${path}`, besideBytes(path)!])),
    "/index.html": `<!doctype html><link rel=icon href=data:,><script type=importmap>${map}</script><script type=module>${script}</script>`,
  });
}

/** What a page of a browser answers to a lane. `path`: `/`, or `/plain/` without isolation. */
export async function askPage(
  { open }: PageEngine,
  pages: Pages,
  path: "/" | "/plain/",
  lane: string,
  presets: readonly string[],
  heard: Heard,
): Promise<Answers> {
  const [backend, threads = "1"] = lane.split("/");
  const asked: Asked = { backend, threads: Number(threads), presets };
  let posted = pages.posted();
  const end = late(longest, undefined, { ref: false });
  const { close, version } = await open(`${pages.origin}${path}#${encodeURIComponent(JSON.stringify(asked))}`);
  try {
    const all: Answer[] = [];
    for (;;) {
      const said = await Promise.race([posted, end]);
      if (said === undefined) return { answers: all, problem: `no more in ${longest / 60_000} minutes` };
      posted = pages.posted();
      const { answers, isolated, problem, isWhole } = JSON.parse(said) as Outcome;
      for (const one of answers.slice(all.length)) {
        all.push({ ...one, version: version ?? one.version });
        heard(all.at(-1)!);
      }
      if (!isWhole) continue;
      const found =
        problem ?? (isolated === (path === "/") ? undefined : `crossOriginIsolated is ${isolated} at ${path}`);
      return { answers: all, problem: found };
    }
  } finally {
    await close();
  }
}
