// A text model from YAML: its keys, what wrong ones get, and one step on a text of one's own.
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
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

  test("heads that don't divide the width; a character beyond the model's vocabulary, when run", async () => {
    expect(() => build(text(book()).replace("heads: 2", "heads: 3"))).toThrow(ConfigError);
    const { trainer, train } = build(text(book()).replace("vocabulary: 30", "vocabulary: 5"));
    await expect(trainer.fit(train!)).rejects.toThrow(/index/);
  });
});
