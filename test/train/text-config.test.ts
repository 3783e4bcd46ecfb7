// A text model from YAML: its keys, what wrong ones get, and one step on a text of one's own.
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { dataLoader } from "../../src/data/loader.ts";
import { textDataset } from "../../src/data/text.ts";
import { losses } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { continuePhase, parseConfig, parsePhases } from "../../src/train/config/parse.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { temporaryFolder } from "../support/folder.ts";

const text = (file: string, loader = "split: train, context: 8") => `
trainer:
  init:
    seed: 1
    model: {name: gpt, vocabulary: 30, context: 8, width: 8, heads: 2, layers: 1, dropout: 0.1}
    loss: cross_entropy
    metrics: [accuracy]
    optimizer: {AdamW: {lr: 0.001}}
    loop: {num_steps: 2, eval_frequency: end}
    loggers: [ProgressLogger: null, CSVLogger: null, JSONLLogger: null]
  fit:
    train_dataloader: {name: text, file: ${file}, batch_size: 4, shuffle: true, ${loader}}
    val_dataloader: {name: text, file: ${file}, batch_size: 3, split: validation, validation_fraction: 0.2, context: 8, stride: 4}
`;

const book = () => {
  const path = `${temporaryFolder()}/book.txt`;
  writeFileSync(path, "a text that goes on and on, and on again. ".repeat(12));
  return path;
};
const build = (source: string) =>
  buildTrainer(parseConfig(source, "t.yaml"), { modelDir: undefined, checkpoint: null, backend: "reference" });

describe("a gpt on a text", () => {
  test("trains, and validates over time steps", async () => {
    const { trainer, train, val } = build(text(book()));
    expect([train!.samplesPerEpoch, val!.samplesPerEpoch]).toEqual([56, 24]);
    const run = await trainer.fit(train!, val);
    expect(run.steps).toBe(2);
    expect(run.metrics.loss).toBeGreaterThan(0);
    expect(run.metrics.accuracy * 24 * 8).toBeCloseTo(Math.round(run.metrics.accuracy * 24 * 8), 6);
  });

  test.each<[string, string, string, RegExp]>([
    ["a missing size", "vocabulary: 30, ", "", /vocabulary: a required key is missing/],
    ["a size that is none", "layers: 1", "layers: 0", /layers.*expected an integer ≥ 1/],
    ["a key that isn't there", "heads: 2", "haeds: 2", /unknown key[\s\S]*did you mean heads\?/],
    ["a split that isn't there", "split: train", "split: test", /train.*validation/],
    ["a fraction of all", "split: train", "split: train, validation_fraction: 1", /expected a number in \(0, 1\)/],
    ["no file", "name: text, file: book.txt", "name: text", /file: a required key is missing/],
  ])("%s", (_what, from, to, message) => {
    const source = text("book.txt");
    expect(source).toContain(from);
    expect(() => parseConfig(source.replace(from, to), "t.yaml")).toThrow(ConfigError);
    expect(() => parseConfig(source.replace(from, to), "t.yaml")).toThrow(message);
  });

  test("heads that don't divide the width", () => {
    const wrong = () => build(text(book()).replace("heads: 2", "heads: 3"));
    expect(wrong).toThrow(ConfigError);
    expect(wrong).toThrow(/^t\.yaml:5:69: trainer\.init\.model\.heads: .*got width 8, heads 3/);
  });
});

describe("a model's vocabulary, and its text's", () => {
  // "a text that goes on and on, and on again. " has 14 different characters.
  const small = (file: string) => text(file).replace("vocabulary: 30", "vocabulary: 13");
  const problem =
    "t.yaml:5:36: trainer.init.model.vocabulary: smaller than the text's: got 13, expected at least 14, the different characters of loader book.txt/train";

  test("smaller: an error at the config's line before anything runs, of fit, validate and predict alike", async () => {
    const { trainer, train, val } = build(small(book()));
    await expect(trainer.fit(train!)).rejects.toThrow(ConfigError);
    await expect(trainer.fit(train!, val)).rejects.toThrow(problem);
    expect(trainer.graphs).toEqual({});
    await expect(trainer.validate(val!)).rejects.toThrow(/^t\.yaml:5:36: .*book\.txt\/validation/);
    await expect(trainer.predict(val!).next()).rejects.toThrow(/^t\.yaml:5:36: .*book\.txt\/validation/);
  });

  test("in the second of several phases, too", async () => {
    const one = small(book()).split("\n").slice(2).join("\n  ");
    const [, second] = parsePhases(`trainer:\n  - ${one.trim()}\n  - ${one.trim()}\n`, "p.yaml");
    const config = continuePhase(second, "runs/first/checkpoints/checkpoint_2.safetensors");
    const changes = { modelDir: undefined, checkpoint: null, callbacks: [], backend: "reference" };
    const { trainer, train } = buildTrainer(config, changes);
    await expect(trainer.fit(train!)).rejects.toThrow(
      /^p\.yaml:15:\d+: trainer\[1\]\.init\.model\.vocabulary: smaller/,
    );
  });

  test("of the same size or larger: it trains", async () => {
    const { trainer, train } = build(text(book()).replace("vocabulary: 30", "vocabulary: 14"));
    expect((await trainer.fit(train!)).steps).toBe(2);
  });

  const loader = (file: string) => dataLoader(textDataset(file, { context: 8 }), { batchSize: 4 });
  const ofCode = (vocabulary: number) =>
    new Trainer({
      seed: 1,
      model: () => nn.gpt({ vocabulary, context: 8, width: 4, heads: 1, layers: 1 }),
      loss: losses.crossEntropy,
      optimizer: (model) => optim.sgd(model.parameters(), { learningRate: 0.1 }),
      loop: { numSteps: 1 },
      backend: "reference",
    });

  test("in code: the same error, without a line", async () => {
    const error = await ofCode(13)
      .fit(loader(book()))
      .catch((caught) => caught);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/^model\.vocabulary: smaller than the text's: got 13, expected at least 14/);
    expect(error.hint).toBe("vocabulary: 14");
  });

  test("a validation text whose numbers mean other characters is refused", async () => {
    const other = `${temporaryFolder()}/other.txt`;
    writeFileSync(other, "a text that goes on. ".repeat(12));
    await expect(ofCode(30).fit(loader(book()), [loader(book()), loader(other)])).rejects.toThrow(
      'loader other.txt: vocabulary: its numbers stand for other characters than those of loader book.txt: got "." as number 1, expected ","',
    );
  });
});
