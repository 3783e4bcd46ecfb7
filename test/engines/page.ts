// A lane in a page: the short forms trained by `seedgrad/worker` in a browser, which posts what they came to.
import { readFileSync } from "node:fs";
import { setTimeout as late } from "node:timers/promises";
import { dataFiles, dataOf } from "../../src/page/presets.ts";
import { beside, besideBytes } from "../../tools/beside.ts";
import { bundle } from "../../tools/bundle.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { noFirefox, openInFirefox } from "../support/firefox.ts";
import { type Pages, servePages } from "../support/pages.ts";
import { root } from "../support/sources.ts";
import { noWebKit, openInWebKit } from "../support/webkit.ts";
import { type Answers, longest } from "./lane.ts";
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
  const outcome = { isolated: crossOriginIsolated, answers: [] };
  try {
    for (const preset of presets) {
      const { digest, threads } = await startTraining({ ...jobs[preset], ...how });
      outcome.answers.push({ preset, digest, threads, version });
    }
  } catch (error) {
    outcome.problem = String(error);
  }
  await fetch("/outcome", { method: "POST", body: JSON.stringify(outcome) });`;

/** Serves the library as modules, the presets' data, and the page that trains. */
export async function serveLanes(): Promise<Pages> {
  const chunks = await bundle();
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
): Promise<Answers> {
  const [backend, threads = "1"] = lane.split("/");
  const asked: Asked = { backend, threads: Number(threads), presets };
  const posted = pages.posted();
  const { close, version } = await open(`${pages.origin}${path}#${encodeURIComponent(JSON.stringify(asked))}`);
  try {
    const said = await Promise.race([posted, late(longest, undefined, { ref: false })]);
    if (said === undefined) return { answers: [], problem: `nothing in ${longest / 60_000} minutes` };
    const { answers, isolated, problem } = JSON.parse(said) as Answers & { isolated: boolean };
    const found =
      problem ?? (isolated === (path === "/") ? undefined : `crossOriginIsolated is ${isolated} at ${path}`);
    return { answers: answers.map((one) => ({ ...one, version: version ?? one.version })), problem: found };
  } finally {
    await close();
  }
}
