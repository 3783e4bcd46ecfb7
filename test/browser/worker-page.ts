// A page that trains in a worker, and the same work in Node.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import * as seedgrad from "../../src/index.ts";
import { libraryModules } from "../support/esm.ts";
import { mnistPages, mnistPaths } from "../support/mnist-files.ts";
import { root } from "../support/sources.ts";
import { programModule, trainingModule } from "../worker/modules.ts";

export const preset = readFileSync(`${root}src/presets/mnist-mlp.yaml`, "utf8");
export const overrides = { maxSteps: 60, modelDir: "runs/page" };

/** Of the training images. */
export const labels = mnistPaths[1];
/** What the page gives, by paths that are its URLs too: one of the files is gzipped. */
const given = mnistPaths.map((path) => (path === labels ? `${path}.gz` : path));

/** What a page calls: a preset's short form, with the time between two turns of its own thread as it is measured meanwhile, in ms. */
const script = `
  import { diffInWorker, startProgram, startTraining, verifyInWorker } from "seedgrad/worker";
  const told = ({ name, message, ...fields }) => ({ name, message, ...fields });
  const files = ${JSON.stringify(Object.fromEntries(given.map((path) => [path, `/${path}`])))};
  const gaps = () => {
    const found = [];
    let last = performance.now();
    const timer = setInterval(() => { const now = performance.now(); found.push(now - last); last = now; }, 1);
    return () => { clearInterval(timer); return found.sort((a, b) => a - b); };
  };
  globalThis.page = {
    start: (job) => startTraining({ config: ${JSON.stringify(preset)}, name: "mnist-mlp.yaml", files, ...job }),
    async train(job) {
      const training = page.start(job);
      const events = { progress: [], metrics: [] };
      for (const name of Object.keys(events)) training.on(name, (event) => events[name].push(event));
      const { history, seed, ...run } = await training;
      return { ...run, events };
    },
    failing: (job) => page.start(job).then(() => "finished", told),
    /** While a worker trains: of a thread that nobody needs, and of the page's own. */
    async free(job) {
      const script = "const end = (" + gaps + ")(); onmessage = () => postMessage(end()); postMessage([]);";
      const idle = new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
      const said = () => new Promise((resolve) => (idle.onmessage = ({ data }) => resolve(data)));
      await said();
      const end = gaps();
      await page.start(job);
      const own = end();
      idle.postMessage("end");
      const control = await said();
      idle.terminate();
      return [control, own];
    },
    diffInWorker, files, startProgram, startTraining, told, verifyInWorker,
  };`;

/** The preset's short form in this process. */
export function trainHere(): Promise<seedgrad.Run> {
  const config = seedgrad.parseConfig(preset, "mnist-mlp.yaml", overrides);
  const changes = { loggers: [], modelDir: undefined, checkpoint: null };
  const { trainer, train, vals } = seedgrad.buildTrainer(config, changes);
  return trainer.fit(train!, vals);
}

/** Its files for servePages: /index.html has `page`, and so has /alone.html, which does its work by itself and posts what came out. */
export async function workerPages(): Promise<Record<string, string | Uint8Array>> {
  const chunks = await libraryModules();
  const map = JSON.stringify({ imports: { "seedgrad/worker": "/esm/worker.js" } });
  const html = (text: string) =>
    `<!doctype html><link rel=icon href=data:,><script type=importmap>${map}</script><script type=module>${text}</script>`;
  const job = JSON.stringify({ overrides });
  return {
    ...Object.fromEntries(chunks.map(({ file, code }) => [`/esm/${file}`, code])),
    ...mnistPages(),
    [`/${labels}.gz`]: gzipSync(readFileSync(`${root}${labels}`)),
    "/program.js": programModule,
    "/training.js": trainingModule,
    "/index.html": html(script),
    "/alone.html": html(`${script}
      const work = async () => {
        const { digest, graphHash, threads } = await page.train(${job});
        const gaps = await page.free({ ...${job}, threads: 1 });
        const digests = [];
        for (const backend of ["wasm", "reference"])
          digests.push((await page.startTraining({ module: "/training.js", options: { steps: 60 }, backend })).digest);
        const refused = await page.failing({ config: "trainer:\\n  init:\\n    sed: 1\\n" });
        return { digest, graphHash, threads, available: navigator.hardwareConcurrency, isolated: crossOriginIsolated, gaps, refused, digests };
      };
      const outcome = await work().catch((error) => ({ error: String(error) }));
      await fetch("/outcome", { method: "POST", body: JSON.stringify(outcome) });`),
  };
}
