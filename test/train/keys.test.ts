// Options by name: every maker that a program calls refuses a slip in one of its keys, and knows each key that its entry in the config's catalog has.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import * as data from "../../src/data/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as made from "../../src/train/callbacks/index.ts";
import { callbacks, loaders, loggers, optimizers, schedulers, transforms } from "../../src/train/config/families.ts";
import type { Callback } from "../../src/train/contract.ts";
import { CSVLogger } from "../../src/train/loggers/csv.ts";
import { JSONLLogger } from "../../src/train/loggers/jsonl.ts";
import { ProgressLogger } from "../../src/train/loggers/progress.ts";
import { ReportLogger } from "../../src/train/loggers/report.ts";
import { TensorBoardLogger } from "../../src/train/loggers/tensorboard.ts";
import { toyModel, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

type Make = (options: object) => unknown;
interface Maker {
  readonly name: string;
  readonly make: Make;
  /** The keys of its catalog's entry. */
  readonly keys: readonly string[];
}

/** What a maker throws or rejects with; undefined where it does neither. */
async function thrown(make: Make, options: object): Promise<unknown> {
  try {
    await make(options);
  } catch (error) {
    return error;
  }
}

const only = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, undefined]));
const catalogKeys = (catalog: { describe(): { name: string; options: { key: string }[] }[] }, name: string) =>
  catalog
    .describe()
    .find((entry) => entry.name === name)!
    .options.map(({ key }) => key);
const entries = (
  catalog: Parameters<typeof catalogKeys>[0],
  maker: (name: string) => Make,
  ...left: readonly string[]
): Maker[] =>
  catalog.describe().flatMap(({ name, options }) => {
    const keys = options.map(({ key }) => key).filter((key) => !left.includes(key));
    return keys.length === 0 ? [] : [{ name, make: maker(name), keys }];
  });

/** A function of `optim` by a catalog's name for it. */
const named = (name: string) => {
  const wanted = name === "CosineAnnealingWarmRestarts" ? `${name}LR` : name;
  const found = Object.entries(optim).find(([key]) => /^[a-z]/.test(key) && key.toLowerCase() === wanted.toLowerCase());
  return found![1] as (...args: unknown[]) => unknown;
};

const dataset = data.arrayDataset("d", { inputs: { data: new Float32Array(2), shape: [2], dtype: "float32" } });
const table = data.parseCsv("t.csv", "a,b\n1,2\n");
const batches = [
  ...["batchSize", "shuffle", "dropLast", "shuffleSeed", "validationSplit"],
  ...["shuffleWindow", "augment"],
];
const common = [...batches, "randomSplit"];
const of = (name: string, ...left: readonly string[]) =>
  catalogKeys(loaders, name).filter((key) => ![...common, ...left].includes(key));
const monitor = ["metric", "mode", "minDelta"];
const group = ["parameters", "learningRate", "weightDecay", "decayAll", "tags", "adjustLearningRate"];

const makers: readonly Maker[] = [
  ...entries(
    optimizers,
    (name) => (options) => {
      const parameters = toyModel().parameters();
      // What is around an optimizer is given it first, in a config by name.
      const isAround = catalogKeys(optimizers, name).includes("optimizer");
      return named(name)(isAround ? optim.sgd(parameters, { learningRate: 0.1 }) : parameters, options);
    },
    "groups",
    "optimizer",
  ),
  ...entries(schedulers, (name) => (options) => named(name)(options)),
  ...entries(callbacks, (name) => {
    const Made = (made as unknown as Record<string, new (options: object) => unknown>)[name];
    return (options) => new Made(options);
  }),
  {
    name: "a group of sgd",
    make: (options) => optim.sgd([{ parameters: toyModel().parameters(), ...options }], { learningRate: 0.1 }),
    keys: group.slice(1),
  },
  {
    name: "parameterGroups",
    make: (options) => optim.parameterGroups(toyModel().parameters(), [{ parameters: "*", ...options }]),
    keys: group.slice(1),
  },
  {
    name: "Sparsity.schedule",
    make: (schedule) => new made.Sparsity({ sparsity: 0.5, schedule: schedule as never }),
    keys: ["begin", "end", "every"],
  },
  { name: "EarlyStopping", make: (options) => new made.EarlyStopping(options), keys: monitor },
  { name: "lambdaLR", make: (options) => optim.lambdaLR(options as never), keys: ["initialLearningRate", "lambda"] },
  { name: "lambdaWD", make: (options) => optim.lambdaWD(options as never), keys: ["initialVal", "lambda"] },
  {
    name: "dataLoader",
    make: (options) => data.dataLoader(dataset, options as never),
    keys: [...batches, "transform"],
  },
  { name: "randomSplit", make: (options) => data.randomSplit(dataset, [1, 1], options), keys: ["seed"] },
  { name: "csvArrays", make: (options) => data.csvArrays("t.csv", table, options as never), keys: of("csv", "file") },
  {
    name: "csv.missing",
    make: (missing) => data.csvArrays("t.csv", table, { target: "b", missing: missing as never }),
    keys: ["texts", "value"],
  },
  {
    name: "textWindows",
    make: (options) => data.textWindows("t", "text", options as never),
    keys: of("text", "file"),
  },
  { name: "mnistDataset", make: (options) => data.mnistDataset("test", options), keys: of("mnist", "split") },
  {
    name: "mnist",
    make: (options) => data.mnist(options as never),
    keys: [...batches, "transform", "testBatchSize", "directory"],
  },
  {
    name: "fashionMnistDataset",
    make: (options) => data.fashionMnistDataset("test", options),
    keys: of("mnist", "split"),
  },
  {
    name: "fashionMnist",
    make: (options) => data.fashionMnist(options as never),
    keys: [...batches, "transform", "testBatchSize", "directory"],
  },
  { name: "digitsDataset", make: (options) => data.digitsDataset(options), keys: of("digits") },
  { name: "heatEquation", make: (options) => data.heatEquation(options as never), keys: of("heat_equation") },
  { name: "mobyDickDataset", make: (options) => data.mobyDickDataset(options as never), keys: of("moby_dick") },
  {
    name: "mobyDick",
    make: (options) => data.mobyDick(options as never),
    keys: [...of("moby_dick", "split"), ...batches, "transform"],
  },
  {
    name: "inputsDataset",
    make: (options) => data.inputsDataset("none.csv", options),
    keys: ["columns", "missing", "categorical"],
  },
  ...entries(transforms, (name) => {
    const found = Object.entries(data).find(([key]) => key.toLowerCase() === name.replace("_", ""));
    return found![1] as unknown as Make;
  }),
  { name: "npyDataset", make: (options) => data.npyDataset(options as never), keys: of("npy") },
  { name: "npzDataset", make: (options) => data.npzDataset(options as never), keys: of("npz") },
  { name: "jsonlDataset", make: (options) => data.jsonlDataset(options as never), keys: of("jsonl") },
  { name: "imageFolder", make: (options) => data.imageFolder(options as never), keys: of("images") },
  { name: "parquetDataset", make: (options) => data.parquetDataset(options as never), keys: of("parquet") },
  { name: "vegaDataset", make: (options) => data.vegaDataset(options as never), keys: of("vega") },
  { name: "idxDataset", make: (options) => data.idxDataset(options as never), keys: of("idx") },
  {
    name: "fit",
    make: (options) => toyTrainer().fit(toyTrain(), undefined, options),
    keys: ["ckptPath", "signal"],
  },
  { name: "validate", make: (options) => toyTrainer().validate(toyTest(), options), keys: ["ckptPath"] },
  {
    name: "evaluate",
    make: (options) => toyTrainer().evaluate(toyTest(), options),
    keys: ["steps", "silent", "weights"],
  },
  { name: "predict", make: (options) => toyTrainer().predict(toyTest(), options).next(), keys: ["ckptPath"] },
  {
    name: "verify",
    make: (options) => toyTrainer().verify("none", options),
    keys: ["backend", "threads", "from", "steps", "against"],
  },
];

describe("options", () => {
  test.each(makers)("$name: a slip in a key is named, with the key that was meant", async ({ make, keys }) => {
    for (const key of keys) {
      const slip = key + key.at(-1);
      const error = (await thrown(make, { [slip]: 1 })) as ConfigError;
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.where).toMatch(new RegExp(`\\.${slip}$`));
      expect([error.problem, error.got, error.hint]).toEqual(["unknown key", slip, `did you mean ${key}?`]);
      expect(error.expected!.replace("one of ", "").split(", ")).toEqual(expect.arrayContaining([...keys]));
    }
  });

  test.each(makers)("$name: each documented key is known", async ({ make, keys }) => {
    const error = await thrown(make, only(keys));
    expect(String(error)).not.toMatch(/unknown key|aren't a record/);
  });

  test("a learning rate's options don't go by a weight decay's names", () => {
    const options = { initialVal: 0.1, gamma: 0.5, stepSize: 2 };
    expect(() => optim.stepLR(options as never)).toThrow(
      "StepLR.initialVal: unknown key: got initialVal, expected one of initialLearningRate, stepSize, gamma, paramGroupTags",
    );
    expect(optim.stepWD(options)(2)).toBe(0.05);
  });

  test("what is no record is refused", () => {
    const parameters = toyModel().parameters();
    expect(() => optim.sgd(parameters, undefined as never)).toThrow(
      "sgd: options is undefined: expected sgd(parameters, options), options: a record of options",
    );
    expect(() => optim.adam(parameters, 0.1 as never)).toThrow(ConfigError);
    expect(() => data.dataLoader(dataset, null as never)).toThrow(ConfigError);
  });
});

describe("without options", () => {
  const classes: Readonly<Record<string, unknown>> = {
    ...made,
    CSVLogger,
    JSONLLogger,
    ProgressLogger,
    ReportLogger,
    TensorBoardLogger,
  };
  const without = [callbacks, loggers].flatMap((catalog) =>
    catalog.describe().flatMap(({ name, options }) => (options.length === 0 ? [name] : [])),
  );

  test.each(without)("%s refuses any", (name) => {
    const Made = classes[name] as new (options?: unknown) => unknown;
    expect(() => new Made()).not.toThrow();
    expect(() => new Made({})).not.toThrow();
    expect(() => new Made({ file: "a" })).toThrow(ConfigError);
    expect(() => new Made({ file: "a" })).toThrow(`${name}.file: unknown key: got file, expected no keys here`);
    expect(() => new Made("a")).toThrow(`${name}: options isn't an empty record: got "a"`);
  });
});

describe("hooks", () => {
  const given = (callback: object) => () => toyTrainer({ callbacks: [callback as Callback] });

  test.each([
    ["onTrainStpe", "onTrainStart"],
    ["onTrainStepEnds", "onTrainStepEnd"],
    ["onvalidateEnd", undefined],
    ["onValidateend", "onValidateEnd"],
    ["postProcessCheckpoint", "postprocessCheckpoint"],
    ["preSetUp", "preSetup"],
  ])("%s is no hook", (name, meant) => {
    const callback = { name: "Mine", [name]() {} };
    if (meant === undefined) return expect(given(callback)).not.toThrow();
    expect(given(callback)).toThrow(ConfigError);
    expect(given(callback)).toThrow(`Mine.${name}: no hook has this name, so it would never be called: got ${name}, `);
    expect(given(callback)).toThrow(`did you mean ${meant}?`);
  });

  test("of a class, and of the one it extends; what is no method is the object's own affair", () => {
    class Watching {
      onBatchEnd() {}
    }
    class Mine extends Watching {
      onTrainEnd() {}
    }
    expect(given(new Mine())).toThrow(/Mine\.onBatchEnd: no hook has this name.*expected one of preSetup, setup/);
    expect(given({ onTrainEnd() {}, onTop: true, once() {}, position() {}, pretty() {} })).not.toThrow();
  });

  test("a logger is held to it too", () => {
    expect(() => toyTrainer({ loggers: [{ onFitEnds() {} } as Callback] })).toThrow("did you mean onFitEnd?");
  });
});
