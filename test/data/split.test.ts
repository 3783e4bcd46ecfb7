// Random splits: parts that share no sample and miss none, from the run's draws before epoch 0, alike in training and validation.
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { validate } from "../../src/cli/validate.ts";
import { ConfigError, DataError, StreamError } from "../../src/core/errors.ts";
import { splitOffset } from "../../src/data/draws.ts";
import { arrayDataset, type DataLoader, dataLoader, type LoadedBatch, randomSplit } from "../../src/data/index.ts";
import { permutation } from "../../src/rng/samplers.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { loaders } from "../../src/train/config/families.ts";
import { makeValidation } from "../../src/train/config/loaders.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { temporaryFolder } from "../support/folder.ts";
import { resumed } from "../support/resumed.ts";
import { toyOptions, toyTrain, toyTrainer } from "../support/toy.ts";

const toy = (size = 20) =>
  arrayDataset("toy", {
    inputs: { data: Float32Array.from({ length: size }, (_, i) => i), shape: [size, 1], dtype: "float32" },
  });
const indices = (loader: DataLoader, seed = 3n, offset = 2 ** 41 + 2 ** 30) =>
  [...(loader.batches({ seed, offset }, 0, { whole: true }) as Iterable<LoadedBatch>)].flatMap((batch) =>
    Array.from(batch.indices),
  );
const of = (dataset: Parameters<typeof dataLoader>[0], seed?: bigint) =>
  indices(dataLoader(dataset, { batchSize: 3 }), seed);

describe("randomSplit", () => {
  test("is the permutation of the loader's draws before epoch 0, cut in parts, each in the data's order", () => {
    const parts = randomSplit(toy(), [0.5, 0.3, 0.2]);
    expect(parts.map(({ name, size }) => [name, size])).toEqual([
      ["toy/0", 10],
      ["toy/1", 6],
      ["toy/2", 4],
    ]);
    const order = permutation(3n, 2 ** 41, 20);
    const sorted = [order.slice(0, 10), order.slice(10, 16), order.slice(16)].map((part) => Array.from(part.sort()));
    expect(parts.map((part) => of(part))).toEqual(sorted);
    expect(of(parts[1], 4n)).toEqual(
      Array.from(
        permutation(4n, 2 ** 41, 20)
          .slice(10, 16)
          .sort(),
      ),
    );
  });

  test("reads the samples that it names", () => {
    const [batch] = dataLoader(randomSplit(toy(), [15, 5])[1], { batchSize: 5 }).batches({
      seed: 1n,
      offset: 0,
    }) as Iterable<LoadedBatch>;
    expect(Array.from(batch.tensors.inputs.data)).toEqual(Array.from(batch.indices));
  });

  test("what shares leave over goes to the first parts", () => {
    expect(randomSplit(toy(11), [0.5, 0.25, 0.25]).map(({ size }) => size)).toEqual([6, 3, 2]);
  });

  test("a share of a round number of samples is that number, whatever the product's last bit", () => {
    for (const [a, b] of [
      [71, 29],
      [42, 58],
      [43, 57],
    ])
      expect(randomSplit(toy(100), [a / 100, b / 100]).map(({ size }) => size)).toEqual([a, b]);
    const { samplesPerEpoch, validation } = dataLoader(toy(100), { batchSize: 5, validationSplit: 0.29 });
    expect([samplesPerEpoch, validation!.samplesPerEpoch]).toEqual([71, 29]);
  });

  test("a part of a part takes the draws that follow", () => {
    const [half] = randomSplit(toy(), [0.5, 0.5]);
    const quarters = randomSplit(half, [5, 5]);
    const outer = permutation(3n, 2 ** 41, 20)
      .slice(0, 10)
      .sort();
    const inner = permutation(3n, 2 ** 41 + 38, 10).map((index) => outer[index]);
    const sorted = [inner.slice(0, 5), inner.slice(5)].map((part) => Array.from(part.sort()));
    expect(quarters.map((part) => of(part))).toEqual(sorted);
    expect(dataLoader(quarters[0], { batchSize: 1 }).splitDraws).toBe(38 + 18);
  });

  test("a seed of its own: the same parts under every run's", () => {
    const [first] = randomSplit(toy(), [0.5, 0.5], { seed: 9 });
    expect(of(first, 1n)).toEqual(of(first, 2n));
    expect(of(first, 1n)).toEqual(
      Array.from(
        permutation(9n, 2 ** 41, 20)
          .slice(0, 10)
          .sort(),
      ),
    );
  });

  test("each part, and each way to split, is other data by its digests", () => {
    const all = [
      ...randomSplit(toy(), [10, 10]),
      ...randomSplit(toy(), [9, 11]),
      ...randomSplit(toy(), [10, 10], { seed: 1 }),
    ];
    const digests = all.map((part) => JSON.stringify(part.digests));
    expect(new Set(digests).size).toBe(6);
    for (const part of all) expect(part.digests).toMatchObject(toy().digests);
  });

  test.each<[readonly number[], RegExp]>([
    [[10, 11], /don't sum up to the whole: got 10, 11, expected a sum of 20 samples/],
    [[0.5, 0.4], /shares that sum to 1/],
    [[0.5, 10], /not numbers of samples, and not shares/],
    [[20, 0], /not numbers of samples/],
    [[0.97, 0.01, 0.02], /a part holds no sample: got 20, 0, 0/],
    [[Number.NaN, 1], /not numbers of samples/],
  ])("parts %j", (parts, message) => {
    expect(() => randomSplit(toy(), parts)).toThrow(DataError);
    expect(() => randomSplit(toy(), parts)).toThrow(message);
  });

  test("more samples than there are draws before epoch 0", () => {
    expect(splitOffset("d", 2, 2 ** 30)).toBe(2 ** 41 + 2);
    expect(() => splitOffset("d", 0, 2 ** 30 + 2)).toThrow(StreamError);
  });
});

describe("validationSplit", () => {
  test("sets a share aside for a loader of its own", () => {
    const loader = dataLoader(toy(), { batchSize: 4, shuffle: true, validationSplit: 0.2, shuffleSeed: 5 });
    expect([loader.samplesPerEpoch, loader.validation!.samplesPerEpoch]).toEqual([16, 4]);
    const [train, held] = [indices(loader), indices(loader.validation!, 3n, 2 ** 42)];
    expect([...train, ...held].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    // The split is the run's, whatever seed the order has, and each epoch's.
    expect(indices(loader, 3n, 2 ** 41 + 2 ** 31).sort()).toEqual([...train].sort());
    expect(indices(loader)).not.toEqual(indices(loader, 3n, 2 ** 41 + 2 ** 31));
    for (const share of [0, 1, -0.1, Number.NaN])
      expect(() => dataLoader(toy(), { batchSize: 1, validationSplit: share })).toThrow(ConfigError);
  });

  test("fit validates on it, unless it is given other data or none", async () => {
    const loop = { numEpochs: 1, evalFrequency: "epoch" } as const;
    const loader = () => toyTrain({ validationSplit: 0.2 });
    const run = await toyTrainer({ loop }).fit(loader());
    const trainer = toyTrainer({ loop });
    const named = await trainer.fit(loader(), loader().validation);
    expect(run.metrics.accuracy * 14).toBeCloseTo(Math.round(run.metrics.accuracy * 14), 6);
    expect([named.digest, named.metrics]).toEqual([run.digest, run.metrics]);
    expect((await toyTrainer({ loop }).fit(loader(), [])).metrics).toEqual({});
    expect((await toyTrainer({ loop }).fit(toyTrain())).digest).not.toBe(run.digest);
    expect((await trainer.explain(loader())).map(({ role }) => role)).toContain("eval");
  });

  test("resumes in mid-epoch, and verifies", async () => {
    const [whole, again] = await resumed(toyOptions(), () => toyTrain({ validationSplit: 0.1 }));
    expect(again).toBe(whole);
    const modelDir = temporaryFolder();
    const trainer = toyTrainer({ modelDir, loop: { numSteps: 3, evalFrequency: "end" } });
    await trainer.fit(toyTrain({ validationSplit: 0.1 }));
    expect((await trainer.verify(modelDir)).equal).toBe(true);
    const other = toyTrainer({ modelDir, loop: { numSteps: 4 } });
    await expect(other.fit(toyTrain({ validationSplit: 0.2 }))).rejects.toThrow(/belongs to a different run/);
  });

  test("the ledger has its draws", async () => {
    const rows = await toyTrainer({ loop: { numEpochs: 1 } }).ledger(toyTrain({ validationSplit: 0.1 }));
    expect(rows).toContainEqual({ owner: "the split of the data", offset: 2 ** 41, count: 138 });
  });
});

describe("in a config", () => {
  const text = (file: string, loader: string, rest = "") => `
trainer:
  init:
    seed: 1
    model_dir: ${file}.run
    model: {name: mlp, sizes: [1, 2]}
    loss: cross_entropy
    optimizer: {SGD: {learning_rate: 0.1}}
    loop: {num_steps: 2, eval_frequency: end}
    loggers: [ProgressLogger: null, CSVLogger: null, JSONLLogger: null]
    backend: reference
  fit:
    train_dataloader: {name: csv, file: ${file}, target: b, classes: ["0", "1"], batch_size: 4, ${loader}}
${rest}`;
  const table = () => {
    const path = `${temporaryFolder()}/t.csv`;
    writeFileSync(path, `a,b\n${Array.from({ length: 20 }, (_, i) => `${i},${i % 2}\n`).join("")}`);
    return path;
  };

  test("validation_split, and validation by itself", async () => {
    const file = table();
    const config = parseConfig(text(file, "shuffle: true, validation_split: 0.25"), "t.yaml");
    const { trainer, train, vals } = buildTrainer(config);
    expect([train!.samplesPerEpoch, vals[0].samplesPerEpoch]).toEqual([12, 5]);
    expect([...indices(train!), ...indices(vals[0])].length).toBe(20);
    const run = await trainer.fit(train!, vals);
    writeFileSync(`${file}.yaml`, text(file, "shuffle: true, validation_split: 0.25"));
    const { json } = await validate(`${file}.yaml`, {});
    expect(json.metrics).toEqual(run.metrics);
  });

  test("random_split chooses a part, for training and validation", () => {
    const file = table();
    const part = (number: number) => `random_split: {parts: [0.75, 0.25], part: ${number}, seed: 3}`;
    const val = `    val_dataloader: {name: csv, file: ${file}, target: b, classes: ["0", "1"], batch_size: 4, ${part(1)}}\n`;
    const { train, val: held } = buildTrainer(parseConfig(text(file, part(0), val), "t.yaml"));
    expect([...indices(train!), ...indices(held!)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  test("what is wrong", () => {
    const file = table();
    const choice = { name: "csv", file, target: "b", batchSize: 2 };
    expect(() => loaders.make({ ...choice, randomSplit: { parts: [10, 10], part: 2 } })).toThrow(/no such part: got 2/);
    expect(() => makeValidation({ ...choice, validationSplit: 0.5 }, undefined)).toThrow(/none are set aside/);
    const val = `    val_dataloader: {name: csv, file: ${file}, target: b, batch_size: 4}\n`;
    expect(() => buildTrainer(parseConfig(text(file, "validation_split: 0.5", val), "t.yaml"))).toThrow(
      /validation data twice/,
    );
    expect(() => parseConfig(text(file, "validation_split: 1"), "t.yaml")).toThrow(/t\.yaml:13:\d+.*validation_split/);
  });
});

test("explain looks at validation data as validation does: the short batch of a shuffled loader too", async () => {
  const few = toyTrain({ batchSize: 100, shuffle: true });
  const planned = await toyTrainer().explain(toyTrain(), few);
  expect(planned.map(({ role }) => role)).toEqual(["init", "train", "eval"]);
  const run = toyTrainer({ loop: { numSteps: 1, evalFrequency: "end" } });
  await run.fit(toyTrain(), few);
  expect(run.graphs.eval).toBe(planned[2].graphHash);
  const more = await toyTrainer().explain(toyTrain(), toyTrain({ batchSize: 32, shuffle: true }));
  expect(more.map(({ role }) => role)).toEqual(["init", "train", "eval", "evalLast"]);
});
