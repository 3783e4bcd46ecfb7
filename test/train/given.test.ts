// What a program gives a Trainer and types would have refused: an error that names it, never a TypeError or a run of something else.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError, DataError, ReproError } from "../../src/core/errors.ts";
import { reading } from "../../src/data/batch-fields.ts";
import { arrayDataset } from "../../src/data/dataset.ts";
import { dataLoader } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import { crossEntropy } from "../../src/nn/losses.ts";
import { accuracy } from "../../src/nn/metrics.ts";
import * as optim from "../../src/optim/index.ts";
import { zeros } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { register } from "../../src/train/config/register.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { CSVLogger } from "../../src/train/loggers/csv.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyModel, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const fitted = (changes: unknown, ...args: unknown[]) =>
  (async () => {
    const trainer = toyTrainer(changes as Partial<TrainerOptions>);
    return trainer.fit(...((args.length > 0 ? args : [toyTrain()]) as Parameters<typeof trainer.fit>));
  })();

describe("options", () => {
  const rates = { learningRate: 0.1 };
  test.each([
    ["no optimizer", { optimizer: () => 3 }, /the callable didn't return an optimizer: got 3/],
    ["several as one", { optimizer: () => [] }, /return an optimizer: got \[\].*\n.*option optimizers, a list/],
    [
      "an optimizer of another model's parameters",
      { optimizer: () => optim.sgd(toyModel().parameters(), rates) },
      /updates a parameter that isn't the model's: got 0\.weight/,
    ],
    ["no schedule", { schedulers: () => 3 }, /not a schedule: got 3/],
    ["a class among schedules", { schedulers: () => [optim.constantLR(rates), class A {}] }, /not a schedule/],
    ["schedules alone", { optimizer: undefined, schedulers: optim.constantLR(rates) }, /no optimizer whose rates/],
    ["a loss that is a number", { loss: () => 3 }, /no scalar to minimise: got 3/],
    ["a loss of an axis", { loss: (outputs: unknown) => outputs }, /no scalar to minimise: got float32\[16, 2\]/],
  ])("%s", async (_what, changes, message) => {
    await expect(fitted(changes)).rejects.toThrow(message);
    await expect(fitted(changes)).rejects.toThrow(ConfigError);
  });

  test.each(["model", "loss", "optimizer", "schedulers"])("a class where %s is called", async (key) => {
    await expect(fitted({ [key]: class Mine {} })).rejects.toThrow(new RegExp(`^${key}: .*got a class, expected `));
    await expect(fitted({ [key]: class Mine {} })).rejects.toThrow(ConfigError);
  });

  test("metrics that are no record, whose values nobody would find", async () => {
    for (const metrics of [new Map([["accuracy", accuracy()]]), new Set([accuracy()]), new Map()])
      await expect(fitted({ metrics })).rejects.toThrow(/^metrics: .*expected metrics by name, or a list of them/);
  });

  test("two loggers of a class of one's own, with defaults for its options, are both told", async () => {
    const told: string[] = [];
    class Mine {
      readonly #file: string;
      constructor({ file = "a" }: { file?: string } = {}) {
        this.#file = file;
      }
      logMetrics(): void {
        told.push(this.#file);
      }
    }
    await toyTrainer({ loggers: [new Mine(), new Mine({ file: "b" })], loop: { numSteps: 1 } }).fit(toyTrain());
    expect(told).toEqual(["a", "b"]);
  });

  test("one logger of a class that takes no options", async () => {
    const two = [new CSVLogger(), new CSVLogger()];
    await expect(fitted({ loggers: two })).rejects.toThrow(/loggers: the same logger twice: got CSVLogger/);
    const own = () => ({ logMetrics() {} });
    expect((await fitted({ loggers: [own(), own(), new CSVLogger()], loop: { numSteps: 1 } })).steps).toBe(1);
  });

  test("another seed than the run's is no verification", async () => {
    const modelDir = temporaryFolder();
    await fitted({ modelDir, loop: { numSteps: 2 } });
    const other = toyTrainer({ seed: 12, loop: { numSteps: 2 } });
    await expect(other.verify(modelDir, { train: toyTrain() })).rejects.toThrow(ReproError);
  });

  test("what is the model's, and frozen in part, is no other's", async () => {
    const optimizer = (model: nn.Module) => optim.sgd(model.parameters().slice(2), rates);
    expect((await fitted({ optimizer, loop: { numSteps: 1 } })).steps).toBe(1);
  });
});

describe("loaders", () => {
  const dataset = arrayDataset("d", { inputs: { data: new Float32Array(2), shape: [2], dtype: "float32" } });
  test.each([
    ["nothing", null, /fit: (train|validation) isn't a data loader.*: got null/],
    ["a name", "mnist", /got "mnist"\nHint: data\.dataLoader/],
    ["a dataset", dataset, /isn't a data loader/],
  ])("%s", async (_what, given, message) => {
    await expect(fitted({}, given)).rejects.toThrow(message);
    await expect(fitted({ loop: { numSteps: 1, evalFrequency: 1 } }, toyTrain(), given)).rejects.toThrow(message);
    const trainer = toyTrainer();
    await expect(trainer.validate(given as never)).rejects.toThrow(/validate: loaders isn't a data loader/);
    await expect(trainer.validateAll([toyTest(), given as never])).rejects.toThrow(
      /validateAll: loaders isn't a data loader/,
    );
    expect(() => trainer.predict(given as never)).toThrow(/predict: loader isn't a data loader/);
  });
});

test("batches without inputs: named, in training, validation and prediction; a model may take the batch itself", async () => {
  const x = { data: new Float32Array(8), shape: [2, 4], dtype: "float32" } as const;
  const other = () => dataLoader(arrayDataset("d", { x }), { batchSize: 2 });
  const message = /the batch has no inputs, and the model takes them: got x, expected a tensor named inputs/;
  await expect(fitted({}, other())).rejects.toThrow(message);
  await expect(toyTrainer().validate(other())).rejects.toThrow(message);
  await expect(toyTrainer().predict(other()).next()).rejects.toThrow(message);
  class Own extends nn.Module {
    readonly layer = nn.linear(4, 2);
    forward(_inputs: unknown, batch?: nn.Batch) {
      return this.layer.forward(batch!.x);
    }
  }
  const { value } = await toyTrainer({ model: () => new Own() })
    .predict(other())
    .next();
  expect(value.outputs.shape).toEqual([2, 2]);
});

test("a field that the model or the loss reads and the batch hasn't is named; one that may be missing isn't", async () => {
  class Reading extends nn.Module {
    readonly layer = nn.linear(4, 2);
    constructor(readonly wanted: string) {
      super();
    }
    forward(x: Tensor, batch?: nn.Batch) {
      const outputs = this.layer.forward(batch!.mask ? x.mul(batch!.mask) : x);
      return outputs.add(batch![this.wanted]);
    }
  }
  const reads = (wanted: string) => ({ model: () => new Reading(wanted) });
  const named =
    /the batch has no bias, and the model takes them: got inputs, targets, expected a tensor named bias\n.*add/;
  await expect(fitted(reads("bias"), toyTrain())).rejects.toThrow(named);
  await expect(toyTrainer(reads("bias")).validate(toyTest())).rejects.toThrow(named);
  const loss: TrainerOptions["loss"] = (outputs, batch) => crossEntropy(outputs, batch.labels);
  const lost = /the batch has no labels, and the loss takes them: got inputs, targets, expected a tensor named labels/;
  await expect(fitted({ loss }, toyTrain())).rejects.toThrow(lost);
});

test("what the library reads and does without is blamed for no other fault: each field that a layer reads", async () => {
  const files = readdirSync("src/nn").filter((file) => file.endsWith(".ts"));
  const types = files.flatMap((file) => [...readFileSync(`src/nn/${file}`, "utf8").matchAll(/Reads<("[^>]*)>/g)]);
  const names = new Set(types.flatMap(([, list]) => list.split("|").map((name) => JSON.parse(name) as string)));
  expect(names).toContain("keyMask");
  for (const name of [...names, "sampleWeights"]) {
    const fails = (batch: Readonly<Record<string, unknown>>) => {
      if (batch[name] === undefined) throw new TypeError("undefined, for another reason");
    };
    expect(() => reading({}, "it takes them", fails)).toThrow(TypeError);
  }
  const config: { schedule?: { weight: number } } = {};
  const loss: TrainerOptions["loss"] = (outputs, batch) => crossEntropy(outputs, batch).mul(config.schedule!.weight);
  await expect(fitted({ loss }, toyTrain())).rejects.toThrow(
    /^Cannot read properties of undefined \(reading 'weight'\)/,
  );
});

test("plain arrays are no dataset", () => {
  expect(() => arrayDataset("d", { inputs: [1, 2] as never })).toThrow(DataError);
  expect(() => arrayDataset("d", { inputs: zeros([2]) as never })).toThrow(/Hint: of a tensor x: .*await x\.data\(\)/);
  expect(() => arrayDataset("d", { inputs: null as never })).toThrow(/field inputs is no array of numbers/);
  for (const [dtype, got] of [
    [Symbol("s"), "Symbol\\(s\\)"],
    [Object.create(null), "{}"],
    ["float64", '"float64"'],
  ] as const)
    expect(() => arrayDataset("d", { inputs: { data: new Float32Array(2), shape: [2], dtype } })).toThrow(
      new RegExp(`field inputs is no array of numbers.*got Float32Array as ${got},`),
    );
});

test("what is registered is a factory", () => {
  expect(() => register("model", "no_factory", 3 as never)).toThrow(/factory isn't a function: got 3/);
});
