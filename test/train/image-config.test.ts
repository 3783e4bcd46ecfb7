// A convolutional network from YAML, on MNIST: a few steps learn something, and wrong keys are refused.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";

const text = `
trainer:
  init:
    seed: 1
    model: {name: cnn, input: [1, 28, 28], channels: [4, 8], classes: 10}
    loss: cross_entropy
    metrics: [accuracy]
    optimizer: {Adam: {lr: 0.005}}
    loop: {num_steps: 40, eval_frequency: end, eval_steps: 2}
    loggers: [ProgressLogger: null, CSVLogger: null, JSONLLogger: null]
  fit:
    train_dataloader: {name: mnist, split: test, batch_size: 32, shuffle: true}
    val_dataloader: {name: mnist, split: test, batch_size: 200}
`;

describe("a cnn on MNIST", () => {
  test("40 steps tell most digits apart", async () => {
    const { trainer, train, val } = buildTrainer(parseConfig(text, "c.yaml"), {
      ...{ modelDir: undefined, checkpoint: null, loggers: [], logging: { logLevel: "silent" }, backend: "wasm" },
    });
    const run = await trainer.fit(train!, val);
    expect(run.metrics.accuracy).toBeGreaterThan(0.75);
  });

  test.each<[string, string, string, RegExp]>([
    ["two extents", "[1, 28, 28]", "[28, 28]", /input.*three counts/],
    ["no channels", "[4, 8]", "[]", /channels.*at least one count/],
    ["an even filter", "classes: 10", "classes: 10, size: 4", /size.*odd integer/],
    ["a key that isn't there", "classes: 10", "clases: 10", /did you mean classes\?/],
  ])("%s", (_what, from, to, message) => {
    expect(() => parseConfig(text.replace(from, to), "c.yaml")).toThrow(ConfigError);
    expect(() => parseConfig(text.replace(from, to), "c.yaml")).toThrow(message);
  });
});
