// Recurrent layers: names, draws, masks, what they refuse; a language model of them in a run that stops, goes on, and is verified on another backend.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { arrayDataset } from "../../src/data/dataset.ts";
import { dataLoader } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { tensor, uniform, zeros } from "../../src/tensor/functions.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { verifyRun } from "../../src/verify/verify.ts";
import { toyTrainer } from "../support/toy.ts";

beforeAll(() => setDefaultBackend("reference"));
const folder = mkdtempSync(`${tmpdir()}/seedgrad-recurrent-`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("parameters have PyTorch's names, are drawn for each half in turn, and dropout only between layers in training", () => {
  const stream = manualSeed(1);
  const layer = nn.lstm(3, 4, { layers: 2, bidirectional: true, dropout: 0.5 });
  expect(stream.position).toBe(layer.parameters().reduce((sum, { size }) => sum + size, 0));
  expect(layer.namedParameters().map(([name, { shape }]) => `${name} ${shape}`)).toEqual([
    "weight_ih_l0 16,3",
    "weight_hh_l0 16,4",
    "bias_ih_l0 16",
    "bias_hh_l0 16",
    "weight_ih_l0_reverse 16,3",
    "weight_hh_l0_reverse 16,4",
    "bias_ih_l0_reverse 16",
    "bias_hh_l0_reverse 16",
    "weight_ih_l1 16,8",
    "weight_hh_l1 16,4",
    "bias_ih_l1 16",
    "bias_hh_l1 16",
    "weight_ih_l1_reverse 16,8",
    "weight_hh_l1_reverse 16,4",
    "bias_ih_l1_reverse 16",
    "bias_hh_l1_reverse 16",
  ]);
  const before = stream.position;
  layer.eval().forward(zeros([2, 5, 3]));
  expect(stream.position).toBe(before);
  layer.train().forward(zeros([2, 5, 3]));
  expect(stream.position).toBe(before + 2 * 5 * 8);
  expect(String(layer)).toBe("Lstm(3 → 4, 2 layers, bidirectional, dropout 0.5)");
  expect(String(nn.gru(3, 4))).toBe("Gru(3 → 4)");
});

test("a state that is handed on gives the bits of one long sequence; masked steps leave it as it is", async () => {
  manualSeed(2);
  const x = uniform([2, 6, 3], -1, 1);
  const layer = nn.gru(3, 4, { layers: 2 });
  const [whole, last] = layer.run(x);
  const [, half] = layer.run(x.slice([null, [0, 2]]));
  const [rest, end] = layer.run(x.slice([null, [2, 6]]), { state: half });
  expect(await rest.array()).toEqual(await whole.slice([null, [2, 6]]).array());
  expect(await end.array()).toEqual(await last.array());
  const mask = tensor([
    [true, true, false, false, false, false],
    [true, true, false, false, false, false],
  ]);
  const [short, kept] = layer.run(x, { mask });
  expect(await kept.array()).toEqual(await half.array());
  expect(await short.slice([null, [2, 6]]).array()).toEqual(await zeros([2, 4, 4]).array());
});

test("forward takes mask and state beside its inputs, as run does, also in a sequence of layers", async () => {
  manualSeed(3);
  const x = uniform([2, 3, 3], -1, 1);
  const mask = tensor([
    [true, true, false],
    [false, true, true],
  ]);
  const lstm = nn.lstm(3, 4, { bidirectional: true });
  expect(await lstm.forward(x, { mask }).array()).toEqual(await lstm.run(x, { mask })[0].array());
  const [gru, state] = [nn.gru(3, 4), uniform([1, 2, 4])];
  const outputs = await gru.run(x, { mask, state })[0].array();
  expect(await gru.forward(x, { mask, state }).array()).toEqual(outputs);
  expect(await nn.sequential(nn.identity(), gru).forward(x, { mask, state }).array()).toEqual(outputs);
  expect(() => lstm.forward(x, { mask, state })).toThrow(
    /not the layers' state.*Hint: .*run\(inputs, \{ state: \[h, c\] \}\)/s,
  );
});

describe("errors", () => {
  const layer = () => nn.lstm(3, 4);
  const bad: Record<string, [() => unknown, RegExp]> = {
    "no count": [() => nn.rnn(0, 4), /nn\.rnn: inputs isn't a count/],
    "another nonlinearity": [() => nn.rnn(3, 4, { nonlinearity: "sin" } as never), /nonlinearity/],
    "an unknown option": [() => nn.gru(3, 4, { numLayers: 2 } as never), /numLayers/],
    "a probability above 1": [() => nn.gru(3, 4, { dropout: 2 }), /nn\.gru: not a probability/],
    "a sequence without a batch": [
      () => layer().forward(zeros([5, 3])),
      /nn\.lstm: not a batch of sequences: got float32\[5, 3\], expected float32\[batch, time, 3\]/,
    ],
    "other features": [() => layer().forward(zeros([2, 5, 4])), /not a batch of sequences/],
    "one state of two": [
      () => layer().run(zeros([2, 5, 3]), { state: zeros([1, 2, 4]) }),
      /not the layers' state: got \[1, 2, 4\], expected 2 tensors of \[1, 2, 4\]/,
    ],
    "a mask of numbers": [() => layer().run(zeros([2, 5, 3]), { mask: zeros([2, 5]) }), /not a mask of the sequences/],
    "tokens that aren't a batch": [
      () => nn.lstmLanguageModel({ vocabulary: 3, width: 2, layers: 1 }).forward(zeros([3], "int32")),
      /not a batch of sequences/,
    ],
  };
  test.each(Object.entries(bad))("%s", (_, [call, message]) => {
    manualSeed(1);
    expect(call).toThrow(message);
  });
});

test("a language model trains; a run that stops goes on to the digest of one that doesn't, and is the same on wasm", async () => {
  const [samples, time] = [24, 6];
  const tokens = Int32Array.from({ length: samples * time }, (_, i) => (i * i + (i >> 2)) % 5);
  const dataset = arrayDataset("tokens", {
    inputs: { data: tokens, shape: [samples, time], dtype: "int32" },
    targets: { data: tokens.map((each) => (each * 2 + 1) % 5), shape: [samples, time], dtype: "int32" },
  });
  const loader = () => dataLoader(dataset, { batchSize: 8, shuffle: true });
  const trainer = (modelDir: string, numSteps: number, changes: Partial<TrainerOptions> = {}) =>
    toyTrainer({
      model: () => nn.lstmLanguageModel({ vocabulary: 5, width: 6, layers: 2, dropout: 0.1 }),
      metrics: {},
      loop: { numSteps },
      modelDir,
      checkpoint: { steps: 3 },
      ...changes,
    });
  const whole = await trainer(`${folder}/whole`, 6).fit(loader());
  await trainer(`${folder}/parts`, 3).fit(loader());
  const parts = await trainer(`${folder}/parts`, 6).fit(loader());
  expect(parts.digest).toBe(whole.digest);
  const rebuild = (changes: Partial<TrainerOptions>) => ({ trainer: trainer("", 6, changes), train: loader() });
  expect(await verifyRun(`${folder}/whole`, { backend: "wasm", threads: 2, rebuild })).toMatchObject({ equal: true });
});
