import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { configJsonSchema } from "../../src/train/config/json-schema.ts";
import { configHash, configToYaml, loadConfig, parseConfig } from "../../src/train/config/parse.ts";
import { root } from "../support/sources.ts";

/** Without its callbacks: the cases here give their own. */
const preset = readFileSync(join(root, "src/presets/mnist-mlp.yaml"), "utf8").replace(/^ *callbacks: .*\n/m, "");
const replaced = (from: string, to: string): string => {
  expect(preset).toContain(from);
  return preset.replace(from, to);
};
const parse = (from: string, to: string) => parseConfig(replaced(from, to), "p.yaml").trainer;

function failure(from: string, to: string): ConfigError {
  try {
    parse(from, to);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error("no error");
}

describe("config", () => {
  test("the preset, with its defaults", () => {
    const { init, fit } = parseConfig(preset, "mnist-mlp.yaml").trainer;
    expect(init.seed).toBe(1234);
    expect(init.optimizer).toEqual({
      class: "AdamW",
      learningRate: 0.003,
      weightDecay: 0.01,
      betas: [0.9, 0.999],
      epsilon: 1e-8,
      decayAll: false,
      amsgrad: false,
      maximize: false,
      groups: [],
    });
    expect(init.loggers.map((logger) => logger.class)).toEqual([
      "ProgressLogger",
      "CSVLogger",
      "TensorBoardLogger",
      "JSONLLogger",
      "ReportLogger",
    ]);
    expect(init.callbacks).toEqual([{ class: "CheckLoss" }]);
    expect(init.checkpoint).toEqual({
      steps: 500,
      autoloadLastCheckpoint: true,
      strict: true,
      saveInitialCheckpoint: false,
      checkpointName: "checkpoint_{step}",
    });
    expect(fit?.trainDataloader).toEqual({ name: "mnist", split: "train", batchSize: 64, shuffle: true });
  });

  test("the effective config as YAML parses to itself", () => {
    for (const text of [preset, replaced("CSVLogger: {}", "CSVLogger: null"), replaced("{steps: 500}", "null")]) {
      const config = parseConfig(text, "a.yaml");
      const again = parseConfig(configToYaml(config), "b.yaml");
      expect(again).toEqual(config);
      expect(configHash(again)).toBe(configHash(config));
    }
  });

  test("the hash: not of folder, backend, threads, audit, key order or writing; of everything else", () => {
    const hash = (text: string, overrides = {}) => configHash(parseConfig(text, "a.yaml", overrides));
    const own = hash(preset);
    expect(hash(preset, { modelDir: "elsewhere", backend: "reference", threads: 3 })).toBe(own);
    expect(hash(replaced("seed: 1234", "seed: 1234\n    audit: 0.01"))).toBe(own);
    expect(hash(replaced("learning_rate: 0.003, weight_decay: 0.01", "weight_decay: 0.01, lr: 3e-3"))).toBe(own);
    expect(hash(preset, { seed: 7n })).not.toBe(own);
    expect(hash(preset, { maxSteps: 10 })).not.toBe(own);
    expect(hash(replaced("dropout: 0.1", "dropout: 0.2"))).not.toBe(own);
  });

  test.each([
    ["0", 0],
    ["9007199254740991", 2 ** 53 - 1],
    ["9007199254740993", 9007199254740993n],
    ["18446744073709551615", 2n ** 64n - 1n],
    ["null", null],
    ["~", null],
  ])("seed %s", (text, value) => {
    expect(parse("seed: 1234", `seed: ${text}`).init.seed).toBe(value);
  });

  test.each([
    "-1",
    "1.5",
    "18446744073709551616",
    "abc",
    "1e3",
    "0x10",
    "0xFFFFFFFFFFFFFFFF",
    "+18446744073709551615",
    "0o7",
    "007",
    "+1",
    '"12"',
    "1234.0",
    "[1]",
    "true",
    ".nan",
  ])("seed %s is refused at its place", (text) => {
    const error = failure("seed: 1234", `seed: ${text}`);
    expect(error.position).toEqual({ file: "p.yaml", line: 3, column: 11 });
    expect(error.where).toContain("trainer.init.seed");
    expect(error.expected).toContain("[0, 2^64)");
  });

  test("a seed behind an alias is held to the same", () => {
    expect(
      failure("trainer:\n  init:\n    seed: 1234", "trainer:\n  init:\n    threads: &s 1\n    seed: 1e3").where,
    ).toContain("seed");
  });

  test("a loader's shuffle_seed is held to the same", () => {
    const loader = "shuffle: true";
    const at = (text: string) => `shuffle: true, shuffle_seed: ${text}`;
    for (const [text, value] of [
      ["0", 0],
      ["18446744073709551615", 2n ** 64n - 1n],
    ] as const)
      expect(parse(loader, at(text)).fit!.trainDataloader.shuffleSeed).toBe(value);
    for (const text of ["-1", "1e3", "0x10", '"12"', "007", "18446744073709551616", "null"]) {
      const error = failure(loader, at(text));
      expect(error.where).toContain("trainer.fit.train_dataloader.shuffle_seed");
      expect(error.expected).toContain("[0, 2^64)");
    }
  });

  test("seeds of data are held to the same", () => {
    const first = failure("name: mnist, split: train", "name: heat_equation, samples: 9, seed: 1e3");
    expect([first.where, first.got]).toEqual(["p.yaml:18:63: trainer.fit.train_dataloader.seed", "1e3"]);
    for (const text of ["0x10", "1e3", "007", "+1", "1.0"])
      expect(
        failure("shuffle: true", `shuffle: true, random_split: {parts: [1, 2], part: 0, seed: ${text}}`).message,
      ).toContain(`train_dataloader.random_split.seed: not a value for this key: got ${text}, expected an integer in`);
  });

  test("threads: a number, or all", () => {
    expect(parse("seed: 1234", "seed: 1234\n    threads: 2").init.threads).toBe(2);
    expect(parse("seed: 1234", "seed: 1234\n    threads: all").init.threads).toBe("all");
    expect(parse("seed: 1234", "seed: 1234").init.threads).toBeUndefined();
  });

  test("the audit: a share", () => {
    expect(parse("seed: 1234", "seed: 1234\n    audit: 0.01").init.audit).toBe(0.01);
    expect(parse("seed: 1234", "seed: 1234\n    audit: 0").init.audit).toBe(0);
    expect(parse("seed: 1234", "seed: 1234").init.audit).toBeUndefined();
  });

  test("no seed", () => {
    expect(parse("    seed: 1234\n", "").init.seed).toBeNull();
  });

  test.each([
    ["num_epochs: 3", "num_epoch: 3", 14, 12, "trainer.init.loop.num_epoch", "num_epochs"],
    ["num_epochs: 3", "numEpochs: 3", 14, 12, "trainer.init.loop.numEpochs", "num_epochs"],
    ["trainer:", "trainr:", 1, 1, "trainr", "trainer"],
    ["total_iters: 100", "total_itters: 100", 12, 80, "LinearLR.total_itters", "total_iters"],
    ["LinearLR: {", "LinaerLR: {", 12, 15, "schedulers[0].LinaerLR", "LinearLR"],
    ["AdamW: {", "AdmaW: {", 8, 17, "optimizer.AdmaW", "AdamW"],
    ["loss: cross_entropy", "loss: cross_entropi", 6, 11, "trainer.init.loss", "cross_entropy"],
    ["split: test", "split: tets", 19, 42, "val_dataloader.split", "test"],
    [
      "    loss:",
      "    callbacks:\n      - NaNChecker: {}\n      - KeepNCheckpoints:\n          m: 2\n      - RateProfiler: {}\n    loss:",
      9,
      11,
      "trainer.init.callbacks[1].KeepNCheckpoints.m",
      "n",
    ],
    ["CSVLogger: {}, T", "CSVLogger: null, ProgresLogger: {}, T", 16, 52, "loggers[2].ProgresLogger", "ProgressLogger"],
  ])("%s → %s: named, placed, with the nearest known", (from, to, line, column, where, near) => {
    const error = failure(from, to);
    expect(error.position).toEqual({ file: "p.yaml", line, column });
    expect(error.where).toContain(where);
    expect(error.hint === `did you mean ${near}?` || error.expected?.includes(near)).toBe(true);
  });

  test.each([
    ["a key twice", "num_epochs: 3", "num_epochs: 3, num_epochs: 4", /given twice/],
    ["lr and learning_rate", "learning_rate: 0.003, w", "lr: 0.003, learning_rate: 1, w", /under two names/],
    ["a missing key", "learning_rate: 0.003, w", "w", /required key is missing/],
    ["a wrong type", "num_epochs: 3", "num_epochs: three", /got "three", expected an integer ≥ 1/],
    ["a number out of range", "dropout: 0.1", "dropout: 1.1", /expected a number in \[0, 1\]/],
    ["two choices", "{AdamW: {", "{SGD: {lr: 1}, AdamW: {", /not one choice of class/],
    ["options that are no map", "loggers: [ProgressLogger: {}", "loggers: [ProgressLogger: 3", /not the options/],
    ["an unknown model", "name: mlp", "name: mpl", /unknown name: got mpl/],
    ["an unknown loader", "name: mnist, split: test", "name: cifar, split: test", /unknown name: got cifar/],
    ["a class of one's own", "loss: cross_entropy", "loss: mine", /unknown class: got mine.*registered by a program/s],
    [
      "no number of threads",
      "seed: 1234",
      "seed: 1234\n    threads: none",
      /got "none", expected an integer ≥ 1, or all/,
    ],
    ["more than all", "seed: 1234", "seed: 1234\n    audit: 1.5", /got 1.5, expected a number from 0 to 1/],
    ["half a thread", "seed: 1234", "seed: 1234\n    threads: 1.5", /got 1.5, expected an integer ≥ 1, or all/],
    ["a bad frequency", "eval_frequency: epoch", "eval_frequency: 1.5", /fraction/],
    ["a checkpoint name that is a path", "{steps: 500}", '{steps: 500, checkpoint_name: "../{step}"}', /file name/],
    [
      "a number below 0",
      "    loss:",
      "    callbacks: [SkipSamples: {samples: -1}]\n    loss:",
      /expected an integer ≥ 0/,
    ],
    ["a key where there are none", "CSVLogger: {}", "CSVLogger: {path: a}", /got path, expected no keys here/],
    ["a default off beside another name", "CSVLogger: {}", "{CSVLogger: null, JSONLLogger: null}", /not one choice/],
    ["a list of trainers", "trainer:\n  init:", "trainer: [a]\nb:\n  init:", /unknown key|a map/],
  ])("%s", (_what, from, to, message) => {
    const error = failure(from, to);
    expect(error.message).toMatch(message);
    expect(error.position?.file).toBe("p.yaml");
  });

  test.each(["{}", "[mlp]", "3", "null"])("a name of %j", (name) => {
    const error = failure("name: mlp", `name: ${name}`);
    expect(error.where).toContain("trainer.init.model");
    expect(error.message).not.toContain("[object");
    expect(failure("name: mnist, split: train", `name: ${name}`).where).toContain("trainer.fit.train_dataloader");
  });

  test.each(["", "[]", "3", "trainer: 3", "trainer: {init: 3}"])("the whole of %j", (text) => {
    expect(() => parseConfig(text, "p.yaml")).toThrow(ConfigError);
  });

  test("names in any case, lr, and defaults switched off", () => {
    const { init } = parse("{AdamW: {learning_rate: 0.003, weight_decay: 0.01}}", "{adamw: {lr: 0.003}}");
    expect(init.optimizer).toMatchObject({ class: "AdamW", learningRate: 0.003 });
    const { init: other } = parse(
      "[ProgressLogger: {}, CSVLogger: {}, TensorBoardLogger: {}]",
      "[csvlogger, JSONLLogger: null, progresslogger: null, reportlogger: null]",
    );
    expect(other.loggers).toEqual([{ class: "CSVLogger" }]);
    expect(parse("    loss:", "    callbacks: [CheckLoss: null]\n    loss:").init.callbacks).toEqual([]);
    expect(parse("    loss:", "    callbacks: {CheckLoss: null}\n    loss:").init.callbacks).toEqual([]);
  });

  test("words in any case, as they are known", () => {
    const activation = (text: string) => parse("dropout: 0.1", `activation: ${text}`).init.model.activation;
    for (const known of ["relu", "leakyRelu", "logSigmoid", "hardSigmoid", "hardSwish"])
      for (const text of [known, known.toLowerCase(), known.toUpperCase()]) expect(activation(text)).toBe(known);
    expect(failure("dropout: 0.1", "activation: LeakyRely")).toMatchObject({
      got: '"LeakyRely"',
      hint: "did you mean leakyRelu?",
    });
    expect(parse("eval_frequency: epoch", "eval_frequency: EPOCH").init.loop.evalFrequency).toBe("epoch");
    expect(parse("name: mnist, split: test", "name: MNIST, split: Test").fit!.valDataloader).toMatchObject({
      name: "mnist",
      split: "test",
    });
  });

  test("one choice where a list may be: the defaults stay", () => {
    const { init } = parse("    loss:", "    callbacks: {NaNChecker: {}}\n    loss:");
    expect(init.callbacks.map((callback) => callback.class)).toEqual(["CheckLoss", "NaNChecker"]);
  });

  test("without loggers named, the default ones", () => {
    const line = "    loggers: [ProgressLogger: {}, CSVLogger: {}, TensorBoardLogger: {}]\n";
    expect(parse(line, "").init.loggers.map((logger) => logger.class)).toEqual([
      "ProgressLogger",
      "CSVLogger",
      "JSONLLogger",
      "ReportLogger",
    ]);
  });

  test("flags override, and only flags that were given", () => {
    const { init } = parseConfig(preset, "a/b/my-run.yaml", {
      seed: 2n ** 64n - 1n,
      maxSteps: 5,
      backend: "reference",
    }).trainer;
    expect(init.seed).toBe(2n ** 64n - 1n);
    expect(init.loop).toEqual({ numEpochs: 3, evalFrequency: "epoch", gradAccumSteps: 1, maxSteps: 5 });
    expect(init.modelDir).toBe("runs/mnist-mlp");
    const text = replaced("    model_dir: runs/mnist-mlp\n", "");
    expect(parseConfig(text, "a/b/my-run.yaml").trainer.init.modelDir).toBe("runs/my-run");
  });

  test("a file that isn't there", () => {
    expect(() => loadConfig("no/such.yaml")).toThrow(ConfigError);
  });

  test("JSON Schema: YAML's form", () => {
    const schema = JSON.stringify(configJsonSchema());
    for (const part of ["train_dataloader", "model_dir", '"AdamW"', '"lr"', "eval_frequency"])
      expect(schema).toContain(part);
    for (const part of ["trainDataloader", '"class"', "numEpochs"]) expect(schema).not.toContain(part);
  });
});
