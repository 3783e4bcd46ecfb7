// Sizes that can't be: said at once, with what they would take, before memory is asked for or anything is counted through.
import { expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import * as nn from "../../src/nn/index.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

const built = (model: string) =>
  buildTrainer(
    parseConfig(`trainer: {init: {seed: 1, loss: mse, model: ${model}, optimizer: {AdamW: {lr: 0.1}}}}`, "a.yaml"),
    {
      modelDir: undefined,
      checkpoint: null,
      loggers: [],
    },
  ).trainer;

test.each([
  [
    "{name: gpt, vocabulary: 25, context: 8, width: 8, heads: 2, layers: 9007199254740991}",
    /a\.yaml:1:\d+: .*9007199254740991 layers/,
  ],
  ["{name: gpt, vocabulary: 9007199254740991, context: 8, width: 8, heads: 2, layers: 1}", /a\.yaml:1:\d+/],
  ["{name: gpt, vocabulary: 25, context: 8, width: 1000000, heads: 2, layers: 1000}", /1\.20e\+16 parameters/],
  ["{name: mlp, sizes: [9007199254740991, 9007199254740991]}", /a\.yaml:1:\d+/],
])("a model of %s is a ConfigError with its place", (model, message) => {
  expect(() => built(model)).toThrow(ConfigError);
  expect(() => built(model)).toThrow(message);
});

test("a model whose state doesn't fit WebAssembly's memory is refused before it is made", async () => {
  const fit = built("{name: mlp, sizes: [16, 20000000]}").initialize();
  await expect(fit).rejects.toThrow(ConfigError);
  await expect(fit).rejects.toThrow(
    /3\.8 GiB of state and a gradient of 1\.2 GiB; the largest parameter is 0\.weight \[20000000, 16\]/,
  );
});

test("more micro-batches in a step than an epoch has batches", async () => {
  const trainer = toyTrainer({ loop: { numSteps: 2, gradAccumSteps: 1e9 } });
  await expect(trainer.fit(toyTrain())).rejects.toThrow(/loop\.gradAccumSteps: .*got 1000000000, expected at most \d+/);
});

test("a file's tensor without elements, and with an extent that would be counted through", () => {
  const header = new TextEncoder().encode(
    '{"inputs":{"dtype":"F32","shape":[9007199254740991,0],"data_offsets":[0,0]}}',
  );
  const file = new Uint8Array(8 + header.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  expect(() => decodeSafetensors("a.safetensors", file)).toThrow(/an extent is too large/);
});

test("stacks of layers in code, too", () => {
  expect(() => nn.gpt({ vocabulary: 2, context: 2, width: 2, heads: 1, layers: 1e9 })).toThrow(/1000000000 layers/);
});
