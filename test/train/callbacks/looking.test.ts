// Callbacks that look into a run, or try something before it; and the options for short runs.
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/core/errors.ts";
import { readSafetensors } from "../../../src/io/safetensors.ts";
import * as nn from "../../../src/nn/index.ts";
import { accuracy } from "../../../src/nn/metrics.ts";
import * as optim from "../../../src/optim/index.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { BatchSizeFinder } from "../../../src/train/callbacks/batch-size-finder.ts";
import { DumpActivations } from "../../../src/train/callbacks/dump-activations.ts";
import { KeepNCheckpoints } from "../../../src/train/callbacks/keep-n-checkpoints.ts";
import { LearningRateFinder } from "../../../src/train/callbacks/learning-rate-finder.ts";
import { ModelEvalMetrics } from "../../../src/train/callbacks/model-eval-metrics.ts";
import { SaveCheckpointState } from "../../../src/train/callbacks/save-checkpoint-state.ts";
import { TensorSummaries } from "../../../src/train/callbacks/tensor-summaries.ts";
import type { Callback } from "../../../src/train/contract.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { recorded } from "../../support/recorded.ts";
import { Summarizing, toyTest, toyTrain, toyTrainer } from "../../support/toy.ts";

test("TensorSummaries: statistics by glob, and what the model summarises itself", async () => {
  const model = () => new Summarizing();
  const { metrics, run } = await recorded(
    [new TensorSummaries({ parameters: ["*.weight"], gradients: ["*"], activations: ["layer"] })],
    { model, loop: { numSteps: 1 } },
  );
  const plain = toyTrainer({ model, loop: { numSteps: 1 } });
  const weight = [...(await plain.model.parameters()[0].data())];
  const at = (name: string) => metrics[name]?.[0][1];
  expect(at("summary/parameters/layer.weight/max")).toBe(Math.max(...weight));
  expect(at("summary/parameters/layer.weight/min")).toBe(Math.min(...weight));
  const mean = weight.reduce((sum, value) => sum + value, 0) / weight.length;
  expect(at("summary/parameters/layer.weight/mean")).toBeCloseTo(mean, 6);
  const variance = weight.reduce((sum, value) => sum + (value - mean) ** 2, 0) / weight.length;
  expect(at("summary/parameters/layer.weight/std")).toBeCloseTo(Math.sqrt(variance), 6);
  expect(at("mine/outputs/max")).toBe(at("mine/largest"));
  expect(at("summary/activations/layer/std")).toBe(at("mine/outputs/std"));
  expect(Object.keys(metrics).filter((name) => name.startsWith("summary/gradients/"))).toHaveLength(8);
  expect(run.digest).toBe((await plain.fit(toyTrain())).digest);
  expect(() => toyTrainer({ callbacks: [new TensorSummaries({ gradients: ["x"] })] })).toThrow(ConfigError);
});

test("TensorSummaries: of a step with fewer micro-batches than others each number has its own name", async () => {
  const { metrics } = await recorded([new TensorSummaries({ gradients: ["layer.bias"], activations: ["layer*"] })], {
    model: () => new Summarizing(),
    loop: { numSteps: 6, gradAccumSteps: 3 },
    logging: { logSteps: 1, logLevel: "silent" },
  });
  const stepsOf = (name: string) => metrics[name].map(([step]) => step);
  // Four batches an epoch: steps of three, and of one.
  expect(stepsOf("summary/activations/layer#2/max")).toEqual([1, 3, 5]);
  for (const name of ["summary/activations/layer/max", "summary/gradients/layer.bias/max", "mine/largest"])
    expect(stepsOf(name)).toEqual([1, 2, 3, 4, 5, 6]);
  // A model's own number is the last micro-batch's.
  const largest = (name: string, from: readonly number[]) => metrics[name].filter(([step]) => from.includes(step));
  expect(largest("mine/largest", [1, 3, 5])).toEqual(metrics["summary/activations/layer#2/max"]);
  expect(largest("mine/largest", [2, 4, 6])).toEqual(largest("summary/activations/layer/max", [2, 4, 6]));
});

test("DumpActivations: the outputs of modules, whole, every so many steps", async () => {
  const modelDir = temporaryFolder();
  const callback = new DumpActivations({ modules: ["0", "model"], every: 2 });
  await recorded([callback], { modelDir, loop: { numSteps: 4 } });
  expect(readdirSync(`${modelDir}/activations`)).toEqual(["step_2.safetensors", "step_4.safetensors"]);
  const { tensors } = readSafetensors(`${modelDir}/activations/step_2.safetensors`);
  expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
    ["0", [16, 8]],
    ["model", [16, 2]],
  ]);
  await expect(recorded([new DumpActivations()])).rejects.toThrow(/no folder/);
  await expect(recorded([new DumpActivations({ modules: ["9"] })], { modelDir })).rejects.toThrow(/got 9/);
});

describe("checkpoints", () => {
  const saved = (modelDir: string) =>
    readdirSync(`${modelDir}/checkpoints`).filter((name) => name.endsWith(".safetensors"));

  test("KeepNCheckpoints", async () => {
    const modelDir = temporaryFolder();
    const options = { modelDir, checkpoint: { steps: 1 }, loop: { numSteps: 5 } };
    await recorded([new KeepNCheckpoints({ n: 2 })], options);
    expect(saved(modelDir)).toEqual(["checkpoint_4.safetensors", "checkpoint_5.safetensors"]);
    expect(() => new KeepNCheckpoints({ n: 0 })).toThrow(/n: not a number of checkpoints/);
    expect(() =>
      toyTrainer({ modelDir, checkpoint: { keep: 3 }, callbacks: [new KeepNCheckpoints({ n: 2 })] }),
    ).toThrow(/checkpoint\.keep says otherwise/);
  });

  test("SaveCheckpointState: weights alone, which nn.load reads; never resumed from", async () => {
    const modelDir = temporaryFolder();
    const options = { modelDir, checkpoint: { steps: 1 }, loop: { numSteps: 4 } };
    const { trainer } = await recorded([new SaveCheckpointState({ every: 2 })], options);
    expect(saved(modelDir).filter((name) => name.includes("model"))).toEqual([
      "checkpoint_2_model.safetensors",
      "checkpoint_4_model.safetensors",
    ]);
    const path = `${modelDir}/checkpoints/checkpoint_4_model.safetensors`;
    const model = nn.load(nn.sequential(nn.linear(4, 8), nn.relu(), nn.dropout(0.2), nn.linear(8, 2)), path);
    for (const [i, parameter] of model.parameters().entries())
      expect(await parameter.data()).toEqual(await trainer.model.parameters()[i].data());
    expect(() => new SaveCheckpointState({ states: ["weights" as never] })).toThrow(
      /"model" or "optimizer" or "callbacks"/,
    );
  });
});

describe("LearningRateFinder", () => {
  test("only tells: the run is the same run", async () => {
    const plain = await recorded([]);
    const finder = new LearningRateFinder({ steps: 30 });
    const { run, messages, metrics } = await recorded([finder]);
    expect([run.digest, run.streamPosition]).toEqual([plain.run.digest, plain.run.streamPosition]);
    expect(metrics.loss).toEqual(plain.metrics.loss);
    expect(messages.join()).toMatch(/LearningRateFinder: \d+ rates tried, suggestion: \S+/);
    expect(finder.tried[0].learningRate).toBe(1e-6);
    const rates = finder.tried.map(({ learningRate }) => learningRate);
    for (let i = 1; i < rates.length; i++) expect(rates[i] / rates[i - 1]).toBeCloseTo(1e6 ** (1 / 29), 9);
    expect(finder.suggestion).toBeGreaterThan(1e-6);
    expect(rates).toContain(finder.suggestion);
  });

  test("apply: a second fit of the same Trainer goes on with the rate found, and the optimizer's own is as it was", async () => {
    const loop = { numSteps: 4 };
    const callbacks = () => [new LearningRateFinder({ steps: 12, apply: true })];
    const whole = await toyTrainer({ loop, callbacks: callbacks() }).fit(toyTrain());
    const modelDir = temporaryFolder();
    const stop = new AbortController();
    const abort = { onTrainBatchEnd: ({ step }: { step: number }) => void (step === 2 && stop.abort()) };
    const trainer = toyTrainer({ loop, modelDir, checkpoint: { steps: 1 }, callbacks: [...callbacks(), abort] });
    await expect(trainer.fit(toyTrain(), undefined, { signal: stop.signal })).rejects.toThrow();
    expect((await trainer.fit(toyTrain())).digest).toBe(whole.digest);
    expect(trainer.optimizer!.groups[0].learningRate).toBe(0.01);
    expect((await trainer.fit(toyTrain())).digest).toBe(whole.digest);
  });

  test("apply: trains with what it found, also after a resume; not beside schedules", async () => {
    const options = { loop: { numSteps: 6 }, checkpoint: { steps: 1 } };
    const make = () => new LearningRateFinder({ steps: 20, apply: true });
    const finder = make();
    const whole = await recorded([finder], { ...options, modelDir: temporaryFolder() });
    expect(whole.metrics.learning_rate.map(([, rate]) => rate)).toEqual(Array(6).fill(finder.suggestion));
    const modelDir = temporaryFolder();
    const crash: Callback = {
      onAfterSaveCheckpoint({ step }) {
        if (step === 3) throw new Error("stop");
      },
    };
    await expect(recorded([make(), crash], { ...options, modelDir })).rejects.toThrow(/stop/);
    expect((await recorded([make()], { ...options, modelDir })).run.digest).toBe(whole.run.digest);
    const schedulers = optim.constantLR({ learningRate: 1 });
    expect(() => toyTrainer({ schedulers, callbacks: [make()] })).toThrow(/take one of the two away/);
    expect(() => new LearningRateFinder({ minimum: 1, maximum: 0.1 })).toThrow(/no range/);
    expect(() => new LearningRateFinder({ steps: 3 })).toThrow(/steps/);
  });
});

test("BatchSizeFinder: memory and rate of each size that fits; the run is the same run", async () => {
  const plain = await recorded([]);
  const finder = new BatchSizeFinder({ steps: 1, maximum: 40 });
  const { run, messages } = await recorded([finder]);
  expect([run.digest, run.streamPosition]).toEqual([plain.run.digest, plain.run.streamPosition]);
  expect(finder.tried.map(({ batchSize }) => batchSize)).toEqual([1, 2, 4, 8, 16, 32]);
  const bytes = finder.tried.map((tried) => tried.bytes);
  expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
  expect(bytes[5]).toBeGreaterThan(bytes[0]);
  expect(messages.join()).toMatch(/batch sizes:\n {2}1: \S+ MiB, \d+ samples\/s/);
  expect(() => new BatchSizeFinder({ memory: 0 })).toThrow(/memory/);
});

test("ModelEvalMetrics: metrics that the model brings, over all batches", async () => {
  class Own extends nn.Module {
    readonly layer = nn.linear(4, 2);
    readonly metrics = { right: accuracy() };
    override forward(x: Tensor) {
      return this.layer.forward(x);
    }
  }
  const { metrics, run } = await recorded([new ModelEvalMetrics()], { model: () => new Own() });
  expect(metrics.val_right).toEqual(metrics.val_accuracy);
  expect(run.metrics).not.toHaveProperty("right");
  const twice = { metrics: { right: accuracy() }, model: () => new Own(), callbacks: [new ModelEvalMetrics()] };
  expect(() => toyTrainer(twice)).toThrow(/two metrics of one name/);
});

test("ModelEvalMetrics: a model without metrics is warned of, one with them isn't", async () => {
  class Own extends nn.Module {
    readonly layer = nn.linear(4, 2);
    constructor(readonly metrics: readonly unknown[]) {
      super();
    }
    override forward(x: Tensor) {
      return this.layer.forward(x);
    }
  }
  const warnings = async (metrics: readonly unknown[]) => {
    const told: string[] = [];
    const loggers = [{ logMessage: (level: string, text: string) => void told.push(`${level}: ${text}`) }];
    const options = { model: () => new Own(metrics), loggers, logging: { logLevel: "warn" } } as const;
    await toyTrainer({ ...options, callbacks: [new ModelEvalMetrics()], loop: { numSteps: 1 } }).fit(toyTrain());
    return told;
  };
  for (const none of [[], ["accuracy"]])
    expect(await warnings(none)).toEqual([expect.stringMatching(/^warn: ModelEvalMetrics: no module .* has metrics/)]);
  expect(await warnings([{ ...accuracy(), name: "right" }])).toEqual([]);
});

describe("short runs", () => {
  test("fastDevRun: so many batches of each, nothing written", async () => {
    const modelDir = temporaryFolder();
    const seen: string[] = [];
    const spy: Callback = {
      onTrainBatchEnd: () => void seen.push("train"),
      onValidateBatchEnd: () => void seen.push("validate"),
    };
    const options = { modelDir: `${modelDir}/run`, fastDevRun: 2, callbacks: [spy], loop: { numEpochs: 50 } };
    const run = await toyTrainer(options).fit(toyTrain(), toyTest());
    expect(run.steps).toBe(2);
    expect(seen).toEqual(["train", "validate", "validate", "train"]);
    expect(existsSync(`${modelDir}/run`)).toBe(false);
    expect(() => toyTrainer({ fastDevRun: 0 })).toThrow(ConfigError);
  });

  test("overfitBatches: the same batches in each epoch, in the same order", async () => {
    const seen: string[] = [];
    const spy: Callback = { onTrainBatchStart: ({ batch }) => void seen.push(Array.from(batch.indices).join()) };
    const run = await toyTrainer({ loop: { numEpochs: 3, overfitBatches: 2 }, callbacks: [spy] }).fit(toyTrain());
    expect(run.steps).toBe(6);
    expect(new Set(seen).size).toBe(2);
    expect(seen).toEqual([...seen.slice(0, 2), ...seen.slice(0, 2), ...seen.slice(0, 2)]);
    const all = await toyTrainer({ loop: { numEpochs: 1, overfitBatches: 99 } }).fit(toyTrain());
    expect(all.steps).toBe(4);
    expect(() => toyTrainer({ loop: { overfitBatches: 0 } })).toThrow(ConfigError);
  });
});
