// The best and the last checkpoint by name, the best weights after an early end, weights that were averaged, and test data.

import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fitConfig } from "../../src/cli/fit.ts";
import { validate } from "../../src/cli/validate.ts";
import { CheckpointError, ConfigError } from "../../src/core/errors.ts";
import { load } from "../../src/nn/load.ts";
import { Stream, withStream } from "../../src/rng/stream.ts";
import { bestCheckpoints, listCheckpoints } from "../../src/run/checkpoint.ts";
import { EarlyStopping } from "../../src/train/callbacks/early-stopping.ts";
import { ExponentialMovingAverage } from "../../src/train/callbacks/weight-average.ts";
import type { Callback, TrainerOptions } from "../../src/train/contract.ts";
import type { Metrics } from "../../src/train/run.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyModel, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const options = (modelDir: string | undefined, changes: Partial<TrainerOptions> = {}): Partial<TrainerOptions> => ({
  modelDir,
  ...(modelDir !== undefined && { checkpoint: { keepBest: { metric: "loss", mode: "max" } } }),
  loop: { numSteps: 8, evalFrequency: 2 },
  ...changes,
});
const weightsOf = async (model: Trainer["model"]) => {
  const found: Record<string, number[]> = {};
  for (const [name, variable] of model.namedVariables()) found[name] = [...(await variable.data())];
  return found;
};

describe("ckptPath: best and last", () => {
  test("are files of the run's folder, for validate, test, predict and fit; run.best says which", async () => {
    const modelDir = temporaryFolder();
    const trained = toyTrainer(options(modelDir));
    const run = await trained.fit(toyTrain(), toyTest());
    const folder = `${modelDir}/checkpoints`;
    const [entry] = bestCheckpoints(listCheckpoints(folder), { metric: "loss", mode: "max", k: 1 });
    const best = `${folder}/${entry.file}`;
    expect(run.best).toEqual({ path: best, step: entry.step, metric: "loss", value: entry.metrics!.loss });
    expect(entry.step).toBeLessThan(8);
    for (const trainer of [trained, toyTrainer(options(modelDir))]) {
      expect((await trainer.validate(toyTest(), { ckptPath: "best" })).loss).toBe(run.best!.value);
      expect(trainer.step).toBe(entry.step);
      expect((await trainer.test(toyTest(), { ckptPath: "last" })).loss).toBe(run.metrics.loss);
      expect(trainer.step).toBe(8);
      const outputs = async (ckptPath: string) => {
        for await (const each of trainer.predict(toyTest(), { ckptPath })) return [...each.outputs.data];
      };
      expect(await outputs("best")).toEqual(await outputs(best));
      expect(await outputs("best")).not.toEqual(await outputs("last"));
    }
    expect((await toyTrainer(options(modelDir)).fit(toyTrain(), toyTest(), { ckptPath: "last" })).digest).toBe(
      run.digest,
    );
    const steps: number[] = [];
    const watcher: Callback = { onTrainStepEnd: ({ step }) => void steps.push(step) };
    const again = toyTrainer(options(modelDir, { callbacks: [watcher] }));
    expect((await again.fit(toyTrain(), toyTest(), { ckptPath: "best" })).digest).toBe(run.digest);
    expect(steps[0]).toBe(entry.step + 1);
  });

  test("the direction is what the metric says, of any loader", async () => {
    const modelDir = temporaryFolder();
    const kept = (metric: string) => options(modelDir, { checkpoint: { keepBest: { metric } } });
    const run = await toyTrainer(kept("toy#2/accuracy")).fit(toyTrain(), [toyTest(), toyTrain()]);
    const found = await toyTrainer(kept("toy#2/accuracy")).validate([toyTest(), toyTrain()], { ckptPath: "best" });
    expect(found["toy#2/accuracy"]).toBe(run.best!.value);
  });

  test("where there is none it is said what is missing", async () => {
    const best = { ckptPath: "best" };
    await expect(toyTrainer().validate(toyTest(), best)).rejects.toThrow(ConfigError);
    await expect(toyTrainer().validate(toyTest(), best)).rejects.toThrow(/nothing says which checkpoint is the best/);
    for (const ckptPath of ["best", "last"]) {
      const none = toyTrainer(options(temporaryFolder())).validate(toyTest(), { ckptPath });
      await expect(none).rejects.toThrow(CheckpointError);
      await expect(none).rejects.toThrow(new RegExp(`checkpoints: ${ckptPath}: there is no such checkpoint`));
    }
  });

  test("on the command line", async () => {
    const folder = temporaryFolder();
    const rows = Array.from({ length: 16 }, (_, i) => `${i % 3},${i % 5},${i % 2 === 0 ? "a" : "b"}`);
    writeFileSync(`${folder}/points.csv`, `x,y,kind\n${rows.join("\n")}\n`);
    const loader = `{name: csv, file: ${folder}/points.csv, inputs: [x, y], target: kind, classes: [a, b], batch_size: 4}`;
    const file = `${folder}/run.yaml`;
    writeFileSync(
      file,
      `trainer:
  init:
    seed: 1
    model_dir: ${folder}/run
    model: {name: mlp, sizes: [2, 2]}
    loss: cross_entropy
    optimizer: {SGD: {learning_rate: 1}}
    loop: {num_steps: 6, eval_frequency: 1}
    checkpoint: {keep_best: {metric: loss, mode: max}}
    logging: {log_level: silent}
    loggers: null
  fit: {train_dataloader: ${loader}, val_dataloader: ${loader}}
`,
    );
    await fitConfig(file, {});
    const keptBest = { metric: "loss", mode: "max", k: 1 } as const;
    const [{ step }] = bestCheckpoints(listCheckpoints(`${folder}/run/checkpoints`), keptBest);
    expect(step).toBeLessThan(6);
    for (const [ckpt, steps] of [
      ["best", step],
      ["last", 6],
    ] as const)
      expect((await validate(file, { ckpt })).json.steps).toBe(steps);
  });
});

describe("restoreBest", () => {
  /** Keeps the weights of the validation with the greatest loss, which isn't the last. */
  const stopping = () => new EarlyStopping({ mode: "max", patience: 2, restoreBest: true });
  const spying = (into: { best?: Record<string, number[]>; value: number }): Callback => ({
    async onValidateEnd({ trainer }, { loss }: Metrics) {
      if (loss <= into.value) return;
      into.value = loss;
      into.best = await weightsOf(trainer.model);
    },
  });

  test.each([false, true])(
    "the weights of the best validation, in a folder: %s; digest and steps are those without",
    async (folder) => {
      const seen = { value: -1 } as { best?: Record<string, number[]>; value: number };
      const modelDir = folder ? temporaryFolder() : undefined;
      const trainer = toyTrainer(options(modelDir, { callbacks: [spying(seen), stopping()] }));
      const run = await trainer.fit(toyTrain(), toyTest());
      const plain = await toyTrainer({
        ...options(undefined, { callbacks: [new EarlyStopping({ mode: "max", patience: 2 })] }),
      }).fit(toyTrain(), toyTest());
      expect([run.digest, run.steps, run.graphHash]).toEqual([plain.digest, plain.steps, plain.graphHash]);
      expect(run.steps).toBeLessThan(8);
      expect(await weightsOf(trainer.model)).toEqual(seen.best);
      expect((await trainer.validate(toyTest())).loss).toBe(seen.value);
      expect(await trainer.fit(toyTrain(), toyTest())).toEqual(run);
      expect(await weightsOf(trainer.model)).toEqual(seen.best);
      if (!folder) return;
      const finished = toyTrainer(options(modelDir, { callbacks: [stopping()] }));
      expect((await finished.fit(toyTrain(), toyTest())).digest).toBe(run.digest);
      expect(await weightsOf(finished.model)).toEqual(seen.best);
    },
  );

  test("gone on with after a stop; where weights were averaged, the average that was validated", async () => {
    const modelDir = temporaryFolder();
    const callbacks = () => [new ExponentialMovingAverage({ decay: 0.5 }), stopping()];
    const crash: Callback = {
      onAfterSaveCheckpoint({ step }) {
        if (step === 4) throw new Error("stop");
      },
    };
    const seen = { value: -1 } as { best?: Record<string, number[]>; value: number };
    const checkpoint = { steps: 4 };
    const whole = toyTrainer(options(temporaryFolder(), { checkpoint, callbacks: [...callbacks(), spying(seen)] }));
    const { digest } = await whole.fit(toyTrain(), toyTest());
    expect(await weightsOf(whole.model)).toEqual(seen.best);
    expect((await whole.evaluate(toyTest())).loss).toBe(seen.value);
    expect(whole.weightsUsed).toBe("raw");
    const stopped = toyTrainer(options(modelDir, { checkpoint, callbacks: [...callbacks(), crash] }));
    await expect(stopped.fit(toyTrain(), toyTest())).rejects.toThrow(/stop/);
    const resumed = toyTrainer(options(modelDir, { checkpoint, callbacks: callbacks() }));
    expect((await resumed.fit(toyTrain(), toyTest())).digest).toBe(digest);
    expect(await weightsOf(resumed.model)).toEqual(seen.best);
  });
});

test("nn.load takes an average's weights of a checkpoint: those of ema.safetensors", async () => {
  const modelDir = temporaryFolder();
  const run = options(modelDir, {
    checkpoint: {},
    callbacks: [new ExponentialMovingAverage({ decay: 0.5, start: 3 })],
  });
  await toyTrainer(run).fit(toyTrain());
  const made = () => withStream(new Stream(1n), toyModel);
  const file = `${modelDir}/checkpoints/checkpoint_8.safetensors`;
  const average = await weightsOf(load(made(), file, { weights: "average" }));
  expect(average).toEqual(await weightsOf(load(made(), `${modelDir}/ema.safetensors`)));
  expect(average).not.toEqual(await weightsOf(load(made(), file)));
  expect(await weightsOf(load(made(), file, { weights: "raw" }))).toEqual(await weightsOf(load(made(), file)));
  for (const none of [`${modelDir}/ema.safetensors`, file.replace(/checkpoint_8/, "checkpoint_2")]) {
    if (none.includes("checkpoint_2"))
      await toyTrainer({ ...run, modelDir: `${modelDir}/b`, loop: { numSteps: 2 } }).fit(toyTrain());
    const path = none.includes("checkpoint_2") ? `${modelDir}/b/checkpoints/checkpoint_2.safetensors` : none;
    expect(() => load(made(), path, { weights: "average" })).toThrow(/no average of weights is in it/);
  }
});

test("test logs what it finds as test_<name>, and isn't for a hook", async () => {
  const logged: string[] = [];
  const loggers = [
    {
      logMetrics: (metrics: Metrics, step: number) =>
        void logged.push(...Object.keys(metrics).map((name) => `${name}@${step}`)),
    },
  ];
  const trainer = toyTrainer({ loggers, loop: { numSteps: 2 }, logging: { logSteps: 50 } });
  await trainer.fit(toyTrain());
  logged.length = 0;
  const found = await trainer.test(toyTest());
  expect(found).toEqual(await trainer.evaluate(toyTest(), { silent: true }));
  expect(logged).toEqual(["test_loss@2", "test_accuracy@2"]);
  const during: Callback = {
    onTrainBatchEnd: async ({ trainer: inFit }) => void (await (inFit as Trainer).test(toyTest())),
  };
  await expect(toyTrainer({ callbacks: [during], loop: { numSteps: 1 } }).fit(toyTrain())).rejects.toThrow(
    /trainer\.test: .*fit in progress[\s\S]*trainer\.evaluate/,
  );
});
