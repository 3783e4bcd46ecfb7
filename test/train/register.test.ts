// Classes of one's own in a config: chosen like those of the package, after a first config was read too; and phases.

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ConfigError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import { crossEntropy } from "../../src/nn/losses.ts";
import { accuracy } from "../../src/nn/metrics.ts";
import * as optim from "../../src/optim/index.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { configJsonSchema } from "../../src/train/config/json-schema.ts";
import { configToYaml, continuePhase, parseConfig, parsePhases } from "../../src/train/config/parse.ts";
import { register } from "../../src/train/config/register.ts";
import type { Config } from "../../src/train/config/schema.ts";
import { toyTest, toyTrain } from "../support/toy.ts";

const text = (init: string, loader = "{name: toy_data, batch_size: 16}") => `
trainer:
  init:
    seed: 7
    logging: {log_level: silent}
    loggers: [ProgressLogger: null, CSVLogger: null, JSONLLogger: null]
    checkpoint: null
    backend: reference
    loop: {num_steps: 3}
${init}
  fit:
    train_dataloader: ${loader}
`;
const plain = `    model: {name: mlp, sizes: [4, 8, 2]}
    loss: cross_entropy
    optimizer: {AdamW: {lr: 0.01}}`;
const own = `    model: {name: Toy_Net, hidden_size: 6}
    loss: {smooth_loss: {by: 0.5}}
    metrics: [toy_accuracy]
    optimizer: {ToySGD: {learning_rate: 0.1}}
    schedulers: [ToyLR: {start: 0.3}]
    callbacks: [ToyCallback: {note: hello}]`;
const failure = (init: string): ConfigError => {
  try {
    parseConfig(text(init), "own.yaml");
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error("no error");
};

// A config is read before anything is registered.
const before = (() => {
  try {
    parseConfig(text(plain), "own.yaml");
  } catch (error) {
    return error as ConfigError;
  }
  throw new Error("no error");
})();

const seen: unknown[] = [];
register("dataloader", "toy_data", ({ batchSize }) => toyTrain({ batchSize: batchSize as number }));
register("model", "toy_net", ({ hiddenSize }) =>
  nn.sequential(nn.linear(4, hiddenSize as number), nn.relu(), nn.linear(hiddenSize as number, 2)),
);
register(
  "loss",
  "smooth_loss",
  ({ by }) =>
    (outputs, batch) =>
      crossEntropy(outputs, batch).mul(by as number),
);
register("metric", "toy_accuracy", () => ({ ...accuracy(), name: "toy_accuracy" }));
register(
  "optimizer",
  "ToySGD",
  ({ learningRate }, model) => optim.sgd(model.parameters(), { learningRate: learningRate as number }),
  {
    learningRate: z.number({ error: "a number" }),
  },
);
register("scheduler", "ToyLR", ({ start }) => optim.constantLR({ learningRate: start as number }));
register("callback", "ToyCallback", ({ note }) => ({ onTrainStart: () => void seen.push(note) }));

describe("register", () => {
  test("what was unknown is known after a config was read already", () => {
    expect(before.message).toMatch(/unknown name: got toy_data/);
    expect(() => parseConfig(text(plain), "own.yaml")).not.toThrow();
  });

  test("a run of one's own classes, and its config as saved is read again to the same", async () => {
    const config = parseConfig(text(own), "own.yaml");
    const { trainer, train } = buildTrainer(config, { modelDir: undefined });
    expect(trainer.model.parameters()[0].shape).toEqual([6, 4]);
    const run = await trainer.fit(train!, toyTest());
    expect(seen).toEqual(["hello"]);
    expect(trainer.optimizer!.groups[0].learningRate).toBe(0.3);
    expect(Object.keys(await trainer.validate(toyTest(), { ckptPath: null }))).toEqual(["loss", "toy_accuracy"]);
    const again = parseConfig(configToYaml(config), "saved.yaml");
    expect(again).toEqual(config);
    const built = buildTrainer(again, { modelDir: undefined });
    expect((await built.trainer.fit(built.train!)).digest).toBe(run.digest);
  });

  test("a shape checks options; without one only how keys are written is checked; names are found near", () => {
    expect(failure(own.replace("learning_rate: 0.1", "learning_rate: high")).message).toMatch(
      /own\.yaml:\d+:\d+: trainer\.init\.optimizer\.ToySGD\.learning_rate: .*expected a number/,
    );
    expect(failure(own.replace("learning_rate: 0.1", "learning_rate: 1, momentum: 0")).message).toMatch(
      /unknown key: got momentum/,
    );
    expect(failure(own.replace("hidden_size", "hiddenSize")).message).toMatch(/keys in snake_case/);
    expect(failure(own.replace("ToySGD", "ToySDG")).hint).toBe("did you mean ToySGD?");
  });

  test("what a config says of them comes as it is written, and from a saved config again", () => {
    const given = {
      name: "My Run",
      split: "Left",
      activation: "TANH",
      deterministic: "Never",
      seed: 1e3,
      loss: "cross_entropy",
      deep: { name: "Foo", callbacks: ["CheckLoss"], Table: { "Foo-Bar": 1, Baz: 2 } },
    };
    const config = parseConfig(text(`${plain}\n    callbacks: [ToyCallback: ${JSON.stringify(given)}]`), "own.yaml");
    expect(config.trainer.init.callbacks.at(-1)).toEqual({ class: "ToyCallback", ...given });
    expect(parseConfig(configToYaml(config), "saved.yaml")).toEqual(config);
  });

  test("the JSON Schema has them, and phases", () => {
    const schema = configJsonSchema() as { properties: { trainer: { anyOf: unknown[] } } };
    expect(JSON.stringify(schema)).toContain("ToySGD");
    expect(schema.properties.trainer.anyOf).toHaveLength(2);
  });

  test("what is refused", () => {
    const model = () => nn.linear(1, 1);
    expect(() => register("modle" as never, "x", model as never)).toThrow(
      /register: nothing of this kind.*got modle, expected model, dataloader/,
    );
    expect(() => register("model", "MLP", model)).toThrow(/there is a model of this name: got MLP/);
    expect(() => register("model", "toy net", model)).toThrow(/not a name/);
    register("callback", "Nothing", () => undefined as never);
    const config = parseConfig(text(`${plain}\n    callbacks: [Nothing: {}]`), "own.yaml");
    expect(() => buildTrainer(config)).toThrow(/callback Nothing: the factory returned no object/);
  });
});

describe("phases", () => {
  const phase = (i: number, more = "") => `
  - init:
      seed: ${i}
      model: {name: mlp, sizes: [4, 8, 2]}
      loss: cross_entropy
      optimizer: {SGD: {lr: 0.1}}
      loop: {num_steps: 2}${more}
    fit: {train_dataloader: {name: toy_data, batch_size: 16}}`;
  const phases = (more = "", overrides = {}) =>
    parsePhases(`trainer:${phase(1)}${phase(2, more)}\n`, "a/two.yaml", overrides);

  test("each is a config of its own, in a folder of its own", () => {
    const folders = (configs: readonly Config[]) => configs.map(({ trainer }) => trainer.init.modelDir);
    expect(phases().map(({ trainer }) => trainer.init.seed)).toEqual([1, 2]);
    expect(folders(phases())).toEqual(["runs/two/phase-1", "runs/two/phase-2"]);
    expect(folders(phases("\n      model_dir: here"))).toEqual(["runs/two/phase-1", "here"]);
    expect(folders(phases("\n      model_dir: here", { modelDir: "x" }))).toEqual(["x/phase-1", "x/phase-2"]);
    expect(() => parseConfig(`trainer:${phase(1)}${phase(2)}\n`, "two.yaml")).toThrow(
      /a list of phases.*got 2 trainers/,
    );
  });

  test("the second loads the first's weights, unless it says what it loads", () => {
    const [, second] = phases();
    expect(continuePhase(second, "p.safetensors").trainer.init.callbacks.at(-1)).toEqual({
      class: "LoadCheckpointStates",
      path: "p.safetensors",
      states: ["model"],
      strict: true,
    });
    const [, loading] = phases("\n      callbacks: [LoadCheckpointStates: {path: q}]");
    expect(continuePhase(loading, "p")).toBe(loading);
  });

  test("an error in a phase is placed there", () => {
    expect(() => phases("\n      thread: 2")).toThrow(/a\/two\.yaml:15:7: trainer\[1\]\.init\.thread: unknown key/);
    expect(() => phases("\n      precision: {fp16_type: int8}")).toThrow(/trainer\[1\]\.init\.precision\.fp16_type/);
    expect(() => parsePhases("trainer: []\n", "none.yaml")).toThrow(ConfigError);
  });
});
