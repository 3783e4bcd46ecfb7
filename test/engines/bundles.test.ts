// Bundles of the library in other formats than modules', as people make them: CommonJS that Node requires, and a script for a page. They
// load, train to the bits that the library itself trains to, and say what they can't do.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import vm from "node:vm";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as seedgrad from "../../src/index.ts";
import { type Outcome, program } from "../support/small.ts";
import { root } from "../support/sources.ts";

const exec = promisify(execFile);

const folder = mkdtempSync(join(tmpdir(), "seedgrad-bundles-"));
let expected: Outcome;

const bundle = (outfile: string, options: Pick<Parameters<typeof build>[0], "format" | "platform" | "minify">) =>
  build({
    entryPoints: [join(root, "src/index.ts")],
    bundle: true,
    outfile: join(folder, outfile),
    target: "es2022",
    globalName: "seedgrad",
    logLevel: "silent",
    ...options,
  });

beforeAll(async () => {
  expected = await (vm.runInThisContext(`(${program})`) as (sg: unknown, threads: number) => Promise<Outcome>)(
    seedgrad,
    1,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("CommonJS", () => {
  test.each([1, 2])("required by a Node of its own: the same bits, threads: %d", async (threads) => {
    await bundle("seedgrad.cjs", { format: "cjs", platform: "node" });
    writeFileSync(
      join(folder, "main.cjs"),
      `(${program})(require("./seedgrad.cjs"), ${threads}).then((outcome) => console.log(JSON.stringify(outcome)));`,
    );
    const { stdout } = await exec(process.execPath, [join(folder, "main.cjs")], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual({ ...expected, used: threads });
  });

  test("the files of a run, and what is read of the machine, are there too", async () => {
    await bundle("seedgrad.cjs", { format: "cjs", platform: "node" });
    writeFileSync(
      join(folder, "fit.cjs"),
      `const { Trainer, nn, losses, optim, data } = require("./seedgrad.cjs");
       const points = { data: new Float32Array(16).fill(0.5), shape: [4, 4], dtype: "float32" };
       const loader = data.dataLoader(data.arrayDataset("points", { inputs: points, targets: points }), { batchSize: 2 });
       new Trainer({ seed: 1, modelDir: "run", loggers: [], model: () => nn.sequential(nn.linear(4, 4)), loss: losses.mse,
         optimizer: (model) => optim.sgd(model.parameters(), { learningRate: 0.1 }), loop: { numEpochs: 2 } })
         .fit(loader).then(({ digest }) => console.log(digest));`,
    );
    const { stdout } = await exec(process.execPath, [join(folder, "fit.cjs")], { cwd: folder });
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect(readFileSync(join(folder, "run", "manifest.json"), "utf8")).toContain(stdout.trim());
  });
});

describe("a page's script", () => {
  /** What a page gives scripts, without node: and require. */
  const page = () => {
    const given = {
      WebAssembly,
      TextEncoder,
      TextDecoder,
      URL,
      performance,
      setTimeout,
      clearTimeout,
      console,
      crypto,
    };
    return vm.createContext({ ...given, Float32Array, Int32Array, Uint32Array, Uint8Array, ArrayBuffer, Error });
  };

  test.each([false, true])("run where there is nothing of Node: the same bits; minified: %s", async (minify) => {
    await bundle("seedgrad.js", { format: "iife", platform: "browser", minify });
    const context = page();
    vm.runInContext(readFileSync(join(folder, "seedgrad.js"), "utf8"), context);
    const outcome = (await vm.runInContext(`(${program})(seedgrad, 1)`, context)) as Outcome;
    expect(JSON.parse(JSON.stringify(outcome))).toEqual(
      minify ? { ...expected, refused: expect.anything() } : expected,
    );
    await expect(vm.runInContext(`(${program})(seedgrad, 2)`, context)).rejects.toThrow(
      /several threads can't be used here/,
    );
  });
});
