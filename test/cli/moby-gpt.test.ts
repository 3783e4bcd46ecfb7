// The moby-gpt preset in short: its graph is the published one, and its bits are the same on every backend. The whole of it is a minute's training.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { root } from "../support/sources.ts";

const preset = readFileSync(join(root, "src/presets/moby-gpt.yaml"), "utf8");

/** The first steps of the preset, or of a part of its batches and layers, with nothing beside them. */
async function firstSteps(numSteps: number, batchSize: number, layers: number, backend: string, threads?: number) {
  const text = preset.replace("batch_size: 16", `batch_size: ${batchSize}`).replace("layers: 4", `layers: ${layers}`);
  expect(text).toContain(`batch_size: ${batchSize},`);
  expect(text).toContain(`layers: ${layers},`);
  const { trainer, train } = buildTrainer(parseConfig(text, "moby-gpt.yaml"), {
    ...{ modelDir: undefined, checkpoint: null, loggers: [], logging: { logLevel: "silent" } },
    ...{ loop: { numSteps }, backend, threads },
  });
  const { digest, graphHash, loss } = await trainer.fit(train!);
  return { digest, graphHash, loss };
}

test("the graph is the published one; 1 and 2 threads give the same", async () => {
  const published = JSON.parse(readFileSync(join(root, "src/presets/digests.json"), "utf8"))["moby-gpt.yaml"];
  const run = await firstSteps(2, 16, 4, "wasm", 2);
  expect(run.graphHash).toBe(published.graphHash);
  expect(await firstSteps(2, 16, 4, "wasm", 1)).toEqual(run);
}, 120_000);

test("reference, gpujs:webasm and wasm give the same, with one layer on batches of one", async () => {
  const expected = await firstSteps(1, 1, 1, "reference");
  for (const [backend, threads] of [["gpujs:webasm"], ["wasm", 1], ["wasm", 3]] as [string, number?][])
    expect(await firstSteps(1, 1, 1, backend, threads), backend).toEqual(expected);
}, 120_000);
