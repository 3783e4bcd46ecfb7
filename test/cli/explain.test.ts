// `explain`: what it counts, the kernels as text, the page, and two configs' graphs side by side.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Outcome } from "../../src/cli/command.ts";
import { explain } from "../../src/cli/explain.ts";
import { fitConfig } from "../../src/cli/fit.ts";
import { CheckpointError, ConfigError } from "../../src/core/errors.ts";
import { configFile, presetWith } from "../support/cli.ts";
import { scratch } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const text = ({ lines }: Outcome) => lines.join("\n");
const preset = join(root, "src/presets/mnist-mlp.yaml");
/** A model whose graphs are large enough to be drawn in parts. */
const deep = presetWith(["[784, 128, 10]", "[784, 32, 32, 32, 10]"]);

describe("explain", () => {
  test("nodes, kernels, FLOPs, bytes, memory and draws of each graph", async () => {
    const found = await explain(preset, {});
    const { graphs, graphHash } = found.json as {
      graphHash: string;
      graphs: {
        role: string;
        flops: number;
        scratchBytes: number;
        memory: { state: number; peak: number; arena: number };
      }[];
    };
    const train = graphs.find(({ role }) => role === "train")!;
    // Forward and the weight's gradient of the first layer alone are 2·(2·64·784·128).
    expect(train.flops).toBeGreaterThan(4 * 64 * 784 * 128);
    expect(train.flops).toBeLessThan(6 * 64 * 784 * 128);
    // Parameters and two moments: 3·(784·128 + 128 + 128·10 + 10) float32.
    expect(train.memory.state).toBe(3 * 4 * (784 * 128 + 128 + 1280 + 10));
    expect(train.scratchBytes).toBeGreaterThan(0);
    expect(train.memory.peak).toBeGreaterThan(train.memory.arena + train.memory.state);
    expect(text(found)).toMatch(/\n0 +matmul +\[64, 128\] +12845056 +602112 +32768\n/);
    expect(text(found)).toMatch(/\n\[0, 100352\) +init: randomWords \[128, 784\] for parameter\/0\.weight\n/);
    expect(text(found)).toMatch(
      /\n\[2200096997376, [0-9]+\) +the order of the data: epochs 0 to 2, 119998 draws each\n/,
    );
    expect(found.lines.at(-1)).toBe(`graph ${graphHash}`);
  });

  test("--kernels: their text on wasm, and generated sources where there are some", async () => {
    const config = configFile(presetWith([", eval_frequency: epoch", ""], ["val_dataloader", "# val_dataloader"]));
    const wasm = text(await explain(config, { kernels: true, backend: "wasm" }));
    expect(wasm).toContain("# kernels of train");
    expect(wasm).toContain("sum of a[i, k]·b[k, j], k < 784");
    // What runs together, its loops and its places are in it.
    expect(wasm).toMatch(/\nkernels [\d, ]+ together: \d+ blocks of at most \d+ of 64 rows/);
    expect(wasm).toMatch(/\n {4}v\d+ in thread-local scratch \[\d+, \d+\)/);
    expect(wasm).toContain("for tiles of 4 × 8: fold k, 4 lanes, 16 terms a round");
    expect(wasm).not.toContain("## kernel");
    const gpujs = text(await explain(config, { kernels: true, backend: "gpujs:cpu" }));
    expect(gpujs).toMatch(/## kernel 0 as [\s\S]*function/);
  });

  test("--html: one page that needs nothing else, whole or in parts", async () => {
    const html = join(scratch(), "graph.html");
    const found = await explain(preset, { html });
    expect(found.lines.at(-2)).toBe(`drawn in ${html}`);
    const page = readFileSync(html, "utf8");
    expect(page).toContain(found.json.graphHash as string);
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|https?:/);
    expect(page).toContain("prefers-color-scheme: dark");
    expect(page.match(/<svg /g)!.length).toBe(3);
    for (const name of ["parameter/0.weight", "argument/0/targets", "randomWords", "matmul"])
      expect(page).toContain(name);
    const tags = [...page.matchAll(/<(\/?)(svg|g|details|section|table|pre|div)\b/g)];
    for (const name of ["svg", "g", "details", "section", "table", "pre", "div"]) {
      const of = tags.filter(([, , tag]) => tag === name);
      expect(of.filter(([, end]) => end).length, name).toBe(of.length / 2);
    }
    await explain(configFile(deep), { html });
    const large = readFileSync(html, "utf8");
    expect(large.match(/<svg /g)!.length).toBeGreaterThan(10);
    for (const part of [
      "layer 0 \\(Linear\\) of mlp",
      "backward: layer 0 \\(Linear\\) of mlp",
      "adamW update of 0.bias",
    ])
      expect(large).toMatch(new RegExp(`<details><summary>\\d+: ${part}, \\d+ nodes</summary>`));
    // In this process the line that asked for the page made the graph; of the command line's own it is the layer's.
    expect(large).toMatch(/\ngradient of matmul at \S+\.ts:\d+:\d+, in layer 0 \(Linear\) of mlp</);
  });

  test("--against: the same graphs, or where they differ node by node; a run's folder will do", async () => {
    const modelDir = join(scratch(), "run");
    const short = configFile(
      presetWith(
        ["num_epochs: 3", "max_steps: 2"],
        [", eval_frequency: epoch", ""],
        ["[ProgressLogger: {}, ", "[ProgressLogger: null, "],
      ),
    );
    await fitConfig(short, { modelDir });
    const same = await explain(preset, { against: modelDir });
    expect([same.code, same.lines.at(-1)]).toEqual([0, "the same graphs"]);
    const other = await explain(preset, { against: configFile(presetWith(["dropout: 0.1", "dropout: 0.2"])) });
    expect(other.code).toBe(1);
    expect(text(other)).toMatch(/^init: the same, \w{64}\ntrain: \w{64} \| \w{64}\n {2}threshold/);
    expect(text(other)).toContain("value=1.25");
    expect(text(other)).toContain("eval: the same");
    const seeded = await explain(preset, { against: configFile(presetWith(["seed: 1234", "seed: 5"])) });
    expect(text(seeded)).toContain("seed: 1234 | 5");
  });

  test("what it refuses", async () => {
    await expect(explain("no/such.yaml", {})).rejects.toThrow(ConfigError);
    await expect(explain(preset, { against: "no/such.yaml" })).rejects.toThrow(/no such file/);
    await expect(explain(preset, { html: "/no/such/folder/graph.html" })).rejects.toThrow(CheckpointError);
    const [before] = deep.split("  fit:");
    await expect(explain(configFile(before), {})).rejects.toThrow(/trainer\.fit: a required key is missing/);
  });
});
