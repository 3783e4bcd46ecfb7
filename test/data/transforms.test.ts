// Transforms that draw: what each does to a batch, that a sample's draws are its own, and that a run with them resumes.
import { describe, expect, test } from "vitest";
import { ConfigError, DataError } from "../../src/core/errors.ts";
import {
  arrayDataset,
  type DataLoader,
  dataLoader,
  type LoadedBatch,
  mixup,
  type RandomTransform,
  randomCrop,
  randomErase,
  randomFlip,
  randomShift,
} from "../../src/data/index.ts";
import { betaQuantile } from "../../src/data/transforms/mixup.ts";
import { tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { crossEntropy as loss } from "../../src/nn/losses.ts";
import { fillWords } from "../../src/rng/draws.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { configToYaml, parseConfig } from "../../src/train/config/parse.ts";
import { temporaryFolder } from "../support/folder.ts";
import { resumed } from "../support/resumed.ts";
import { toyOptions, toyTrain, toyTrainer } from "../support/toy.ts";

const samples = 10;
/** Sample i is [i·100 + place], 3 × 4. */
const images = arrayDataset("images", {
  inputs: {
    data: Float32Array.from({ length: samples * 12 }, (_, i) => Math.floor(i / 12) * 100 + (i % 12) + 1),
    shape: [samples, 1, 3, 4],
    dtype: "float32",
  },
  targets: { data: Int32Array.from({ length: samples }, (_, i) => i % 3), shape: [samples], dtype: "int32" },
});
const offset = 2 ** 41 + 2 ** 30;
const epoch = { seed: 3n, offset };
const loaderOf = (transforms: readonly RandomTransform[], options = {}) =>
  dataLoader(images, { batchSize: 4, augment: transforms, dropLast: false, ...options });
const all = (loader: DataLoader, start?: number, how?: { whole: boolean }) => [
  ...(loader.batches(epoch, start, how) as Iterable<LoadedBatch>),
];
/** One image under given words. */
const apply = (transform: RandomTransform, words: readonly number[], data = images.fields.inputs) => {
  const out = new Float32Array(12);
  data.read(Int32Array.of(0), out);
  const inputs = { data: out, shape: [1, 1, 3, 4], dtype: "float32" } as const;
  return transform.apply({ inputs }, Uint32Array.from(words)).inputs;
};
const half = 2 ** 31;

describe("what they do", () => {
  test("random_shift: what comes in is the fill", () => {
    const shift = randomShift({ pixels: 1, fill: -1 });
    expect(Array.from(apply(shift, [0, 0]).data)).toEqual([-1, -1, -1, -1, -1, 1, 2, 3, -1, 5, 6, 7]);
    expect(Array.from(apply(shift, [half, half]).data)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(Array.from(apply(shift, [2 ** 32 - 1, half]).data)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, -1, -1, -1, -1]);
  });

  test("random_crop: a window of another size", () => {
    const cropped = apply(randomCrop({ size: [2, 3] }), [2 ** 32 - 1, 0]);
    expect([cropped.shape, Array.from(cropped.data)]).toEqual([
      [1, 1, 2, 3],
      [5, 6, 7, 9, 10, 11],
    ]);
  });

  test("random_flip: both ways, and none", () => {
    expect(Array.from(apply(randomFlip(), [0]).data)).toEqual([4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9]);
    expect(Array.from(apply(randomFlip({ axis: "vertical" }), [0]).data)).toEqual([
      9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4,
    ]);
    expect(Array.from(apply(randomFlip(), [half]).data)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(Array.from(apply(randomFlip({ probability: 1 }), [2 ** 32 - 1]).data)[0]).toBe(4);
  });

  test("random_erase: a rectangle within the image", () => {
    const erase = randomErase({ size: [2, 2], fill: 9 });
    expect(Array.from(apply(erase, [0, 2 ** 32 - 1, 2 ** 32 - 1]).data)).toEqual([1, 2, 3, 4, 5, 6, 9, 9, 9, 10, 9, 9]);
    expect(Array.from(apply(erase, [half, 0, 0]).data)[0]).toBe(1);
  });

  test("mixup: λ of each and its partner, targets as probabilities", () => {
    const inputs = { data: Float32Array.of(0, 4, 8), shape: [3, 1], dtype: "float32" } as const;
    const targets = { data: Int32Array.of(0, 1, 2), shape: [3], dtype: "int32" } as const;
    const mixed = mixup({ alpha: 1, classes: 3 }).apply({ inputs, targets }, Uint32Array.of(2 ** 30, 7, 3 * 2 ** 30));
    expect(Array.from(mixed.inputs.data)).toEqual([6, 4, 6]);
    expect(mixed.targets.shape).toEqual([3, 3]);
    expect(Array.from(mixed.targets.data.subarray(0, 3))).toEqual([0.25, 0, 0.75]);
    expect(Array.from(mixed.targets.data.subarray(6))).toEqual([0.25, 0, 0.75]);
    const floats = { data: Float32Array.of(0, 2), shape: [2, 1], dtype: "float32" } as const;
    const pair = mixup({ alpha: 1 }).apply({ inputs: floats, targets: floats }, Uint32Array.of(2 ** 30, 2 ** 30));
    expect(Array.from(pair.targets.data)).toEqual([1.5, 0.5]);
  });

  test("shares of mixup are Beta's quantiles", () => {
    // Closed forms: Beta(1, 1) is uniform; Beta(2, 2) has 3x² − 2x³; Beta(½, ½) the arcsine law.
    for (const p of [1e-6, 0.1, 0.37, 0.5, 0.9, 1 - 1e-6]) {
      const x = betaQuantile(p, 2);
      expect(3 * x * x - 2 * x * x * x).toBeCloseTo(p, 10);
      expect(betaQuantile(p, 0.5)).toBeCloseTo(Math.sin((Math.PI / 2) * p) ** 2, 10);
      expect(betaQuantile(p, 1)).toBe(p);
      expect(betaQuantile(p, 0.2) + betaQuantile(1 - p, 0.2)).toBeCloseTo(1, 10);
    }
  });

  test("cross-entropy of probabilities: of ones and zeros it is that of classes", async () => {
    const outputs = tensor([
      [1, 2, 0.5],
      [0, -1, 3],
    ]);
    const hot = tensor([
      [0, 1, 0],
      [0, 0, 1],
    ]);
    const [soft, hard] = [loss(outputs, hot), loss(outputs, tensor([1, 2], "int32"))];
    expect(await soft.item()).toBeCloseTo(await hard.item(), 6);
  });

  test("samples that come flat, with a shape", () => {
    const flat = { data: Float32Array.of(1, 2, 3, 4), shape: [1, 4], dtype: "float32" } as const;
    const flipped = randomFlip({ shape: [1, 2, 2] }).apply({ inputs: flat }, Uint32Array.of(0));
    expect(flipped.inputs).toEqual({ data: Float32Array.of(2, 1, 4, 3), shape: [1, 4], dtype: "float32" });
    expect(() => randomFlip().apply({ inputs: flat }, Uint32Array.of(0))).toThrow(
      /no images of this shape: got samples \[4\]/,
    );
  });

  const none = new Uint32Array(3);
  const whole = { data: new Uint8Array(4), shape: [1, 1, 2, 2], dtype: "bool" } as const;
  const whole32 = { data: new Int32Array(4), shape: [1, 1, 2, 2], dtype: "int32" } as const;
  test.each<[string, () => unknown, RegExp]>([
    ["a window that is too large", () => apply(randomCrop({ size: [9, 3] }), [0, 0]), /a window larger than the image/],
    ["a rectangle that is", () => apply(randomErase({ size: [9, 3] }), [0, 0, 0]), /a rectangle larger/],
    [
      "a fill of bytes",
      () => randomErase({ size: [1, 1], fill: 300 }).apply({ inputs: whole }, none),
      /expected 0 or 1/,
    ],
    ["a fill of integers", () => randomShift({ pixels: 1, fill: 0.5 }).apply({ inputs: whole32 }, none), /fits int32/],
    ["classes that nobody counted", () => all(loaderOf([mixup()])), /targets are classes, and nobody says/],
    ["a target that is no class", () => all(loaderOf([mixup({ classes: 2 })])), /a target that is no class: got 2/],
  ])("%s", (_what, body, message) => {
    expect(body).toThrow(DataError);
    expect(body).toThrow(message);
  });

  test("options are checked", () => {
    expect(() => randomFlip({ probability: 2 })).toThrow(ConfigError);
    expect(() => randomCrop({ paddings: 2 } as never)).toThrow(/did you mean padding/i);
    expect(() => loaderOf([{} as never])).toThrow(/a transform/);
  });
});

describe("what they draw", () => {
  test("each sample's words follow the order's, by its number: the same in every batch size", () => {
    const loader = loaderOf([randomShift({ pixels: 1 }), randomFlip()], { shuffle: true });
    expect(loader.drawsPerEpoch).toBe(2 * (samples - 1) + 3 * samples);
    const words = new Uint32Array(3);
    for (const { tensors, indices } of all(loader))
      Array.from(indices).forEach((index, row) => {
        fillWords(3n, offset + 2 * (samples - 1) + 3 * index, words);
        const image = { ...tensors.inputs, data: new Float32Array(12), shape: [1, 1, 3, 4] };
        images.fields.inputs.read(Int32Array.of(index), image.data);
        const shifted = randomShift({ pixels: 1 }).apply({ inputs: image }, words.subarray(0, 2));
        const flipped = randomFlip().apply(shifted, words.subarray(2));
        expect(tensors.inputs.data.slice(row * 12, row * 12 + 12)).toEqual(flipped.inputs.data);
      });
    const one = all(loaderOf([randomShift({ pixels: 1 }), randomFlip()], { shuffle: true, batchSize: 10 }))[0];
    const four = all(loader).flatMap(({ tensors }) => Array.from(tensors.inputs.data));
    expect(Array.from(one.tensors.inputs.data)).toEqual(four);
  });

  test("the order is the one without them; validation leaves them out; a start in mid-epoch gives the same", () => {
    const loader = loaderOf([randomFlip()], { shuffle: true });
    const plain = loaderOf([], { shuffle: true });
    expect(all(loader).map(({ indices }) => indices)).toEqual(all(plain).map(({ indices }) => indices));
    expect(all(loader, 0, { whole: true }).map(({ tensors }) => tensors)).toEqual(
      all(plain).map(({ tensors }) => tensors),
    );
    expect(all(loader, 2)).toEqual(all(loader).slice(2));
    expect(loader.digests["images/loader"]).toMatch(/^[0-9a-f]{64}$/);
    expect(loaderOf([randomFlip({ probability: 0.4 })]).digests).not.toEqual(loaderOf([randomFlip()]).digests);
    expect(plain.digests).toEqual(images.digests);
  });

  test("a run resumes in mid-epoch, and verifies", async () => {
    const transforms = [randomCrop({ padding: 1 }), randomErase({ size: [2, 2] }), mixup({ classes: 3 })];
    const loader = () => loaderOf(transforms, { batchSize: 3, shuffle: true, dropLast: true });
    const model = () => nn.sequential(nn.flatten(), nn.linear(12, 3));
    const [whole, again] = await resumed(toyOptions({ model }), loader);
    expect(again).toBe(whole);
    const modelDir = temporaryFolder();
    const trainer = toyTrainer({ model, modelDir, loop: { numSteps: 4 } });
    await trainer.fit(loader());
    expect((await trainer.verify(modelDir)).equal).toBe(true);
    expect((await toyTrainer().fit(toyTrain({ augment: [] }))).digest).toBe(
      (await toyTrainer().fit(toyTrain())).digest,
    );
  });
});

describe("in a config", () => {
  const text = (transforms: string) => `
trainer:
  init:
    seed: 1
    model: {name: mlp, sizes: [784, 10]}
    loss: cross_entropy
    optimizer: {SGD: {lr: 0.1}}
    loop: {num_steps: 1}
  fit:
    train_dataloader:
      {name: mnist, split: train, batch_size: 2, augment: ${transforms}}
`;
  test("names and options; the effective config says them again", () => {
    const given = "[{random_shift: {pixels: 2, shape: [1, 28, 28]}}, {mixup: {classes: 10}}]";
    const config = parseConfig(text(given), "t.yaml");
    const { train } = buildTrainer(config, { modelDir: undefined, checkpoint: null });
    expect(train!.drawsPerEpoch).toBe(3 * 60000);
    expect(parseConfig(configToYaml(config), "again.yaml").trainer.fit).toEqual(config.trainer.fit);
    expect(() => parseConfig(text("[random_flop]"), "t.yaml")).toThrow(/unknown class[\s\S]*random_flip/);
    expect(() => parseConfig(text("[{random_shift: {pixels: 0}}]"), "t.yaml")).toThrow(
      /t\.yaml:11:\d+: .*pixels.*an integer ≥ 1/,
    );
  });
});
