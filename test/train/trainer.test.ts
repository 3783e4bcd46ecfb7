import { describe, expect, test } from "vitest";
import { float32Bits } from "../../src/core/canonical.ts";
import { ConfigError, ReproError, SeedgradError, TraceError, TrainingError } from "../../src/core/errors.ts";
import { arrayDataset } from "../../src/data/dataset.ts";
import { type DataLoader, dataLoader, type LoadedBatch } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import * as losses from "../../src/nn/losses.ts";
import { mean } from "../../src/nn/metrics.ts";
import * as optim from "../../src/optim/index.ts";
import { watch } from "../../src/program/trace.ts";
import { watchOffset } from "../../src/rng/regions.ts";
import { permutation } from "../../src/rng/samplers.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { normal, uniform } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import type { Callback, Logger, StepResult, TrainerOptions } from "../../src/train/contract.ts";
import { evaluationDue } from "../../src/train/length.ts";
import type { Run } from "../../src/train/run.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { toyModel, toyOptions, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const weightsOf = async (trainer: Trainer) =>
  Promise.all(
    trainer.variables().map(async ([name, variable]) => [name, [...(await variable.data())].map(float32Bits)]),
  );

describe("one seed, one run", () => {
  test("twice the same: digest, graph hash, weights, position", async () => {
    const [a, b] = [toyTrainer(), toyTrainer()];
    const [runA, runB] = [await a.fit(toyTrain()), await b.fit(toyTrain())];
    expect(runA.digest).toMatch(/^[0-9a-f]{64}$/);
    const untimed = (run: Run) => ({ ...run, seconds: 0, dataShare: 0 });
    expect(untimed(runA)).toEqual(untimed(runB));
    expect(await weightsOf(a)).toEqual(await weightsOf(b));
  });

  test("another seed: other digest, other graph hash; 0 and 2^64 − 1 are seeds like any other", async () => {
    const runs = [];
    for (const seed of [7, 8, 0, 2n ** 64n - 1n])
      runs.push(await toyTrainer({ seed, loop: { numSteps: 2 } }).fit(toyTrain()));
    expect(new Set(runs.map((run) => run.digest)).size).toBe(4);
    expect(new Set(runs.map((run) => run.graphHash)).size).toBe(4);
    expect(runs[2].seed).toBe(0n);
  });

  test("two fits at once don't mix", async () => {
    const alone = await toyTrainer().fit(toyTrain());
    const [a, b] = await Promise.all([toyTrainer().fit(toyTrain()), toyTrainer({ seed: 8 }).fit(toyTrain())]);
    expect(a.digest).toBe(alone.digest);
    expect(b.digest).not.toBe(alone.digest);
  });

  test("the stream: init from 0, then a range for each step; orders of the data move nothing", async () => {
    const trainer = toyTrainer();
    const init = 4 * 8 + 8 + 8 * 2 + 2;
    expect(trainer.stream.position).toBe(init);
    const run = await trainer.fit(toyTrain());
    expect(run.streamPosition).toBe(init + 12 * 16 * 8);
  });

  test("the ambient stream is neither read nor moved", async () => {
    const ambient = manualSeed(99);
    const { digest } = await toyTrainer().fit(toyTrain());
    expect(ambient.position).toBe(0);
    manualSeed(100);
    expect((await toyTrainer().fit(toyTrain())).digest).toBe(digest);
  });

  test("a frequency of 0.29 of 100 steps is 29 steps", () => {
    const due = evaluationDue({ evalFrequency: 0.29 }, { stepsPerEpoch: 10, totalSteps: 100 });
    expect([28, 29, 58, 87].map((step) => due(step, false))).toEqual([undefined, ...Array(3).fill("scheduled")]);
  });

  test("no seed: one is drawn and warned of, and giving it again gives the same run", async () => {
    const messages: string[] = [];
    const trainer = toyTrainer({
      seed: undefined,
      logging: { logLevel: "warn" },
      loggers: [{ logMessage: (level, text) => messages.push(`${level}: ${text}`) }],
    });
    const run = await trainer.fit(toyTrain());
    expect(trainer.seedGiven).toBe(false);
    expect(messages[0]).toContain(`warn: no seed was given, so one was drawn: ${trainer.seed}`);
    expect((await toyTrainer({ seed: trainer.seed }).fit(toyTrain())).digest).toBe(run.digest);
  });
});

describe("law 10: watching doesn't touch", () => {
  const changes: [string, Partial<TrainerOptions>, boolean][] = [
    ["validation each epoch", { loop: { numEpochs: 3, evalFrequency: "epoch" } }, true],
    ["validation each step", { loop: { numEpochs: 3, evalFrequency: 1 } }, true],
    ["validation of a part, at a fraction", { loop: { numEpochs: 3, evalFrequency: 0.3, evalSteps: 1 } }, true],
    ["logging each step", { logging: { logSteps: 1, logLevel: "silent" }, loggers: [{ logMetrics() {} }] }, false],
    [
      "hooks that read weights and watch gradients",
      {
        callbacks: [
          {
            onTrace({ gradients }) {
              for (const [name, gradient] of Object.entries(gradients)) watchNorm(name, gradient);
            },
            async onAfterOptimizerStep({ trainer, watched }) {
              for (const value of Object.values(watched)) await value.item();
              for (const [, variable] of trainer.variables()) await variable.data();
            },
          },
        ],
      },
      false,
    ],
  ];
  const watchNorm = (name: string, gradient: import("../../src/tensor/tensor.ts").Tensor) =>
    watchImport.watch(`norm/${name}`, gradient.mul(gradient).sum().sqrt());
  let watchImport: typeof import("../../src/program/trace.ts");

  test.each(changes)("%s: same digest, hash and position", async (_what, change, validates) => {
    watchImport = await import("../../src/program/trace.ts");
    const plain = await toyTrainer().fit(toyTrain());
    const run = await toyTrainer(change).fit(toyTrain(), validates ? toyTest() : undefined);
    expect([run.digest, run.graphHash, run.streamPosition]).toEqual([
      plain.digest,
      plain.graphHash,
      plain.streamPosition,
    ]);
    if (validates) expect(Object.keys(run.metrics).sort()).toEqual(["accuracy", "loss"]);
  });

  test("validation draws from 2^42 on, anew each time: the same weights show the same", async () => {
    const loader = toyTest();
    const offsets: number[] = [];
    const spied: DataLoader = {
      ...loader,
      drawsPerEpoch: 5,
      batches(epoch, start) {
        offsets.push(epoch.offset);
        return loader.batches(epoch, start);
      },
    };
    const trainer = toyTrainer();
    const before = trainer.stream.position;
    const first = await trainer.validate(spied);
    expect(await trainer.validate(spied)).toEqual(first);
    expect(offsets).toEqual([watchOffset, watchOffset]);
    expect(trainer.stream.position).toBe(before);
    expect(trainer.model.training).toBe(true);
  });

  test("a model that draws in evaluation too: validation leaves stream and digest as they are", async () => {
    class Noisy extends nn.Module {
      readonly layer = nn.linear(4, 2);
      forward(inputs: Tensor) {
        return this.layer.forward(inputs.add(uniform(inputs.shape, -1, 1)));
      }
    }
    const noisy = (changes: Partial<TrainerOptions> = {}) => toyTrainer({ model: () => new Noisy(), ...changes });
    const plain = await noisy().fit(toyTrain());
    const trainer = noisy({ loop: { numEpochs: 3, evalFrequency: 1 } });
    const run = await trainer.fit(toyTrain(), toyTest());
    expect([run.digest, run.streamPosition]).toEqual([plain.digest, plain.streamPosition]);
    expect(await trainer.evaluate(toyTest())).toEqual(run.metrics);
    // The same samples twice don't come to the same: each batch has draws of its own.
    const [batch] = [...(toyTest().batches({ seed: 7n, offset: 0 }) as Iterable<LoadedBatch>)];
    const losses: number[] = [];
    const seen: Callback = {
      onTrace: ({ loss }) => void watch("loss", loss!),
      async onValidateStepEnd({ watched }) {
        losses.push(await watched.loss.item());
      },
    };
    await noisy({ callbacks: [seen] }).evaluate({ ...toyTest(), batches: () => [batch, batch] });
    expect(losses).toHaveLength(2);
    expect(losses[0]).not.toBe(losses[1]);
  });

  test("modules keep their own training flags across validation", async () => {
    const trainer = toyTrainer();
    const [, [, frozen]] = trainer.model.namedChildren();
    frozen.eval();
    await trainer.validate(toyTest());
    expect([trainer.model.training, frozen.training]).toEqual([true, false]);
  });

  test("a hook that draws or assigns while a step is traced is refused", async () => {
    const draws: Callback = { onTrace: ({ loss }) => void loss?.add(normal([])) };
    await expect(toyTrainer({ callbacks: [draws] }).fit(toyTrain())).rejects.toThrow(TraceError);
  });

  test.each<[string, losses.CrossEntropyOptions]>([
    ["ignored targets", { ignoreIndex: 2 }],
    ["weights of classes, and smoothed labels", { classWeights: [1, 4, 0.5], labelSmoothing: 0.1 }],
  ])(
    "a loss that is a mean over what counts (%s) is validated to the same value in batches of any size",
    async (_, options) => {
      const size = 24;
      const data = Float32Array.from({ length: size * 4 }, (_, i) => ((i * 29) % 31) / 31 - 0.5);
      // The first batches of four have nothing that counts where 2 is ignored.
      const targets = Int32Array.from({ length: size }, (_, i) => (i < 8 ? 2 : i % 3));
      const held = arrayDataset("held", {
        inputs: { data, shape: [size, 4], dtype: "float32" },
        targets: { data: targets, shape: [size], dtype: "int32" },
      });
      const trainer = toyTrainer({
        model: () => nn.sequential(nn.linear(4, 3)),
        loss: (outputs, batch) => losses.crossEntropy(outputs, batch, options),
        metrics: { own: mean((outputs, batch) => losses.crossEntropy(outputs, batch, options)) },
      });
      const valuesIn = (batchSize: number) => trainer.validate(dataLoader(held, { batchSize }));
      const { loss, own } = await valuesIn(size);
      expect(loss).toBeGreaterThan(0.5);
      expect(own).toBe(loss);
      for (const batchSize of [4, 7, 16]) {
        const values = await valuesIn(batchSize);
        expect(values.loss).toBeCloseTo(loss, 5);
        expect(values.own).toBe(values.loss);
      }
    },
  );

  test("weights of samples that nobody reads are warned of, and parameters that the loss doesn't depend on, once", async () => {
    const samples = arrayDataset("weighed", {
      inputs: { data: new Float32Array(32).fill(1), shape: [8, 4], dtype: "float32" },
      targets: { data: new Int32Array(8), shape: [8], dtype: "int32" },
      sampleWeights: { data: new Float32Array(8).fill(2), shape: [8], dtype: "float32" },
    });
    class Spare extends nn.Module {
      readonly layer = nn.linear(4, 2);
      readonly spare = nn.linear(4, 2);
      override forward(x: Tensor) {
        return this.layer.forward(x);
      }
    }
    const warnings = async (loss: losses.Loss, model: () => nn.Module = toyModel) => {
      const messages: string[] = [];
      const logger: Logger = { logMessage: (level, text) => void (level === "warn" && messages.push(text)) };
      const options = { loggers: [logger], logging: { logLevel: "warn" } } as const;
      await toyTrainer({ ...options, model, loss, loop: { numSteps: 3, gradAccumSteps: 2 } }).fit(
        dataLoader(samples, { batchSize: 3 }),
      );
      return messages;
    };
    expect(await warnings((outputs, batch) => losses.crossEntropy(outputs, batch))).toEqual([]);
    expect(await warnings((outputs, { targets }) => losses.crossEntropy(outputs, targets))).toEqual([
      expect.stringMatching(/^the batch has sampleWeights, and the loss doesn't read them/),
    ]);
    expect(await warnings(losses.crossEntropy, () => new Spare())).toEqual([
      expect.stringMatching(/^the loss doesn't depend on spare.bias, spare.weight: a gradient of 0/),
    ]);
  });

  test("a loss that has a mean over what counts as a part is told to be averaged by samples, once", async () => {
    const warnings = async (loss?: losses.Loss, model: () => nn.Module = toyModel) => {
      const messages: string[] = [];
      const logger: Logger = { logMessage: (level, text) => void (level === "warn" && messages.push(text)) };
      const trainer = toyTrainer({ model, loss, loggers: [logger], logging: { logLevel: "warn" } });
      for (const _ of [1, 2]) await trainer.validate(toyTest());
      return messages;
    };
    const counted: losses.Loss = (outputs, batch) => losses.crossEntropy(outputs, batch, { ignoreIndex: 5 });
    expect(await warnings((outputs, batch) => counted(outputs, batch).add(outputs.square().mean()))).toEqual([
      expect.stringMatching(/^a loss with a part that is a mean over what counts/),
    ]);
    class Own extends nn.Module {
      readonly layer = nn.linear(4, 2);
      override forward(x: Tensor, batch?: nn.Batch) {
        const outputs = this.layer.forward(x);
        return { outputs, loss: losses.crossEntropy(outputs, batch!), twice: counted(outputs, batch!).mul(2) };
      }
    }
    expect(await warnings(undefined, () => new Own())).toHaveLength(1);
    expect(await warnings(counted)).toEqual([]);
    expect(await warnings((outputs, batch) => losses.crossEntropy(outputs, batch).mul(2))).toEqual([]);
  });

  test("validation's value: the mean over samples, a short batch weighted by its size", async () => {
    const whole = await toyTrainer().validate(toyTrain({ batchSize: 70, shuffle: false }));
    const parts = await toyTrainer().validate(toyTest());
    expect(parts.accuracy).toBe(whole.accuracy);
    expect(Math.abs(parts.loss - whole.loss)).toBeLessThan(1e-6);
  });
});

describe("graphs", () => {
  test("the short last batch is a graph of its own; the hash is the full batch's", async () => {
    const full = toyTrainer({ loop: { numEpochs: 1 } });
    const short = toyTrainer({ loop: { numEpochs: 1 } });
    const runs = [await full.fit(toyTrain()), await short.fit(toyTrain({ dropLast: false }))];
    expect(runs.map((run) => run.steps)).toEqual([4, 5]);
    expect(runs[1].graphHash).toBe(runs[0].graphHash);
    expect(full.graphs.trainLast).toBeUndefined();
    expect(short.graphs.trainLast).toMatch(/^[0-9a-f]{64}$/);
    expect(short.graphs.trainLast).not.toBe(short.graphs.train);
  });

  test("explain: every role with its plan, and nothing moves", async () => {
    const trainer = toyTrainer();
    const before = trainer.stream.position;
    const planned = await trainer.explain(toyTrain({ dropLast: false }), toyTest());
    expect(planned.map(({ role }) => role)).toEqual(["init", "train", "trainLast", "eval", "evalLast"]);
    expect(trainer.stream.position).toBe(before);
    const run = await trainer.fit(toyTrain({ dropLast: false }), toyTest());
    expect(planned[1].graphHash).toBe(run.graphHash);
    expect(trainer.graphs).toMatchObject({
      init: planned[0].graphHash,
      train: planned[1].graphHash,
      trainLast: planned[2].graphHash,
    });
  });

  test("clipping is part of the program", async () => {
    const hash = async (precision: TrainerOptions["precision"]) =>
      (await toyTrainer({ precision, loop: { numSteps: 1 } }).fit(toyTrain())).graphHash;
    const hashes = [await hash({}), await hash({ maxGradientNorm: 0.1 }), await hash({ maxGradientValue: 0.1 })];
    expect(new Set(hashes).size).toBe(3);
  });

  test("clipping by norm: the norm is watched", async () => {
    const norms: number[] = [];
    const seen: Callback = {
      async onAfterOptimizerStep({ watched }: StepResult) {
        norms.push(await watched.gradient_norm.item());
      },
    };
    await toyTrainer({ precision: { maxGradientNorm: 0.1 }, callbacks: [seen], loop: { numSteps: 2 } }).fit(toyTrain());
    expect(norms).toHaveLength(2);
    expect(norms.every((norm) => norm > 0)).toBe(true);
  });
});

describe("the loop", () => {
  test.each([
    [{ numSteps: 5 }, 5],
    [{ maxSteps: 6, numEpochs: 3 }, 6],
    [{ numEpochs: 2 }, 8],
    [{ numEpochs: 2, stepsPerEpoch: 3 }, 6],
    [{ numSteps: 9, maxSteps: 7, numEpochs: 2 }, 7],
  ])("%j: %i steps", async (loop, steps) => {
    expect((await toyTrainer({ loop }).fit(toyTrain())).steps).toBe(steps);
  });

  test.each([
    ["epoch", [4, 8, 10]],
    ["end", [10]],
    [3, [3, 6, 9, 10]],
    [0.25, [2, 4, 6, 8, 10]],
    [undefined, []],
  ] as const)("evalFrequency %s", async (evalFrequency, expected) => {
    const at: number[] = [];
    const seen: Callback = { onValidateStart: ({ step }) => void at.push(step) };
    await toyTrainer({ loop: { numSteps: 10, evalFrequency }, callbacks: [seen] }).fit(toyTrain(), toyTest());
    expect(at).toEqual(expected);
  });

  test("evalFrequency without validation data: it is said", async () => {
    const messages: string[] = [];
    const loggers = [{ logMessage: (_: string, text: string) => void messages.push(text) }];
    await toyTrainer({ loop: { numSteps: 1, evalFrequency: 1 }, logging: {}, loggers }).fit(toyTrain());
    expect(messages.join()).toContain("no validation data");
  });

  test("validation data without evalFrequency, a loader of its own or a split of the training data: it is warned of", async () => {
    const warned = async (train: DataLoader, val?: DataLoader) => {
      const messages: string[] = [];
      const loggers = [{ logMessage: (level: string, text: string) => void messages.push(`${level}: ${text}`) }];
      await toyTrainer({ loop: { numSteps: 1 }, logging: {}, loggers }).fit(train, val);
      return messages.filter((text) => text.includes("no loop.evalFrequency")).map((text) => text.split(":")[0]);
    };
    expect(await warned(toyTrain(), toyTest())).toEqual(["warn"]);
    expect(await warned(toyTrain({ validationSplit: 0.2 }))).toEqual(["warn"]);
    expect(await warned(toyTrain())).toEqual([]);
  });

  test("each epoch has an order of its own, and every sample once", async () => {
    const epochs: number[][] = [];
    const seen: Callback = {
      onTrainBatchStart({ epoch, batch }) {
        epochs[epoch] = [...(epochs[epoch] ?? []), ...Array.from(batch.indices)];
      },
    };
    await toyTrainer({ callbacks: [seen], loop: { numEpochs: 2 } }).fit(toyTrain({ dropLast: false }));
    for (const order of epochs)
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 70 }, (_, i) => i));
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  test("the seed reaches the data's order: a permutation of the data region's draws, by epoch", async () => {
    for (const seed of [0n, 8n]) {
      const order: number[] = [];
      const seen: Callback = { onTrainBatchStart: ({ batch }) => void order.push(...Array.from(batch.indices)) };
      await toyTrainer({ seed, callbacks: [seen], loop: { numEpochs: 2 } }).fit(toyTrain());
      const orders = [0, 1].map((epoch) => permutation(seed, 2 ** 41 + 2 ** 30 + epoch * 2 * 69, 70));
      expect(order).toEqual(orders.flatMap((each) => [...each].slice(0, 64)));
    }
  });

  describe("the order of the data is a function of the seed and the epoch alone:", () => {
    const orderOf = async (changes: Partial<TrainerOptions>, loader = toyTrain()) => {
      const order: number[] = [];
      const seen: Callback = { onTrainBatchStart: ({ batch }) => void order.push(...Array.from(batch.indices)) };
      const trainer = toyTrainer({ callbacks: [seen], ...changes });
      await trainer.fit(loader, toyTest());
      return order;
    };
    const wider = () => nn.sequential(nn.linear(4, 9), nn.relu(), nn.dropout(0.5), nn.linear(9, 2));

    test.each([
      ["not of the model", { model: wider }],
      ["not of validation", { loop: { numEpochs: 3, evalFrequency: 1 } }],
      ["not of accumulation", { loop: { numEpochs: 3, gradAccumSteps: 2 } }],
      ["not of the precision", { precision: { fp16Type: "bfloat16" } }],
    ] satisfies [string, Partial<TrainerOptions>][])("%s", async (_, changes) => {
      expect(await orderOf(changes)).toEqual(await orderOf({}));
    });

    test("not of how long the run is, nor of epochs that end early", async () => {
      const plain = await orderOf({});
      expect(await orderOf({ loop: { numSteps: 6 } })).toEqual(plain.slice(0, 96));
      expect((await orderOf({ loop: { numSteps: 4, stepsPerEpoch: 2 } })).slice(32)).toEqual(plain.slice(64, 96));
    });

    test("a shuffleSeed takes it from that seed's stream, whatever the run's is", async () => {
      const seeded = () => toyTrain({ shuffleSeed: 0 });
      const order = await orderOf({ seed: 7 }, seeded());
      expect(order).toEqual(await orderOf({ seed: 8 }, seeded()));
      expect(order).toEqual(await orderOf({ seed: 0 }));
      expect(order).not.toEqual(await orderOf({ seed: 7 }));
    });
  });

  test("the schedule gives each step its rate, by the step's number from 0", async () => {
    const rates: number[] = [];
    const seen: Callback = { onTrainStepEnd: ({ learningRate }) => void rates.push(learningRate) };
    const schedule = optim.linearLR({ initialLearningRate: 0, endLearningRate: 1, totalIters: 4 });
    await toyTrainer({ schedulers: schedule, callbacks: [seen], loop: { numSteps: 6 } }).fit(toyTrain());
    expect(rates).toEqual([0, 0.25, 0.5, 0.75, 1, 1]);
  });

  test("a loader that ends too soon", async () => {
    const loader = { ...toyTrain(), batchesPerEpoch: 9 };
    await expect(toyTrainer().fit(loader)).rejects.toThrow(/ended before its epoch did/);
  });

  test("fit again on a finished Trainer gives the run again", async () => {
    const trainer = toyTrainer();
    const run = await trainer.fit(toyTrain());
    expect(await trainer.fit(toyTrain())).toEqual(run);
    await expect(trainer.fit(toyTrain(), undefined, { ckptPath: null })).rejects.toThrow(ConfigError);
  });
});

describe("hooks", () => {
  const names = [
    ..."preSetup setup postSetup onFitStart onBeforeLoadCheckpoint preprocessCheckpoint onLoadCheckpoint onTrainStart".split(
      " ",
    ),
    ..."onTrainBatchStart onTrainStepStart onTrace onAfterOptimizerStep onBeforeSchedulerStep onAfterSchedulerStep".split(
      " ",
    ),
    "onTrainStepEnd",
    ..."onTrainBatchEnd onSaveCheckpoint postprocessCheckpoint onAfterSaveCheckpoint onValidateStart".split(" "),
    ..."onValidateBatchStart onValidateStepStart onValidateStepEnd onValidateBatchEnd onValidateEnd onTrainEnd".split(
      " ",
    ),
    ..."onFitEnd onTrainException onValidateException onFitException finalize logMetrics".split(" "),
  ];
  const recorder = (into: string[], prefix = ""): Callback =>
    Object.fromEntries(names.map((name) => [name, () => void into.push(prefix + name)]));

  const step =
    "onTrainBatchStart onTrainStepStart onAfterOptimizerStep onBeforeSchedulerStep onAfterSchedulerStep onTrainStepEnd".split(
      " ",
    );
  const batch = "onValidateBatchStart onValidateStepStart onValidateStepEnd onValidateBatchEnd".split(" ");

  test("the whole order of a fit", async () => {
    const calls: string[] = [];
    await toyTrainer({ callbacks: [recorder(calls)], loop: { numSteps: 2, evalFrequency: "end" } }).fit(
      toyTrain(),
      toyTest(),
    );
    expect(calls).toEqual([
      ..."preSetup setup postSetup onFitStart".split(" "),
      // Strict mode traces twice, and compares.
      ..."onTrace onTrace onTrainStart".split(" "),
      ...step,
      "onTrainBatchEnd",
      ...step,
      ..."logMetrics onValidateStart onValidateBatchStart onValidateStepStart onTrace onTrace onValidateStepEnd onValidateBatchEnd".split(
        " ",
      ),
      ...batch,
      // The short last batch is a graph of its own.
      ..."onValidateBatchStart onValidateStepStart onTrace onTrace onValidateStepEnd onValidateBatchEnd".split(" "),
      ..."onValidateEnd logMetrics onTrainBatchEnd onTrainEnd onFitEnd finalize".split(" "),
    ]);
  });

  test("callbacks in their order: core, the user's, loggers", async () => {
    const calls: string[] = [];
    const only = (name: string): Callback => ({ onTrainStepEnd: () => void calls.push(name) });
    const trainer = toyTrainer({ callbacks: [only("a"), only("b")], loggers: [only("logger")], loop: { numSteps: 1 } });
    await trainer.fit(toyTrain());
    expect(calls).toEqual(["a", "b", "logger"]);
    expect([...trainer.callbacks.values()][0].constructor.name).toBe("CheckLoss");
  });

  test("an error in a hook names class and hook, and is told to the exception hooks", async () => {
    const calls: string[] = [];
    class Faulty {
      onAfterOptimizerStep() {
        throw new RangeError("no");
      }
    }
    const trainer = toyTrainer({ callbacks: [new Faulty(), recorder(calls)] });
    const error = (await trainer.fit(toyTrain()).catch((caught) => caught)) as TrainingError;
    expect(error).toBeInstanceOf(TrainingError);
    expect(error.message).toContain("Faulty.onAfterOptimizerStep");
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(calls.slice(-3)).toEqual(["onTrainException", "onFitException", "finalize"]);
  });

  test("an error in a hook of the constructor", () => {
    class Faulty {
      setup() {
        throw new Error("no");
      }
    }
    expect(() => toyTrainer({ callbacks: [new Faulty()] })).toThrow(/Faulty\.setup/);
  });

  test("CheckLoss stops at the step whose loss is no number", async () => {
    const trainer = toyTrainer({ optimizer: (model) => optim.sgd(model.parameters(), { learningRate: 1e30 }) });
    const error = (await trainer.fit(toyTrain()).catch((caught) => caught)) as TrainingError;
    expect(error).toBeInstanceOf(TrainingError);
    expect(error.message).toMatch(
      /CheckLoss\.onTrainStepEnd: step \d+: the loss is not a finite number: got (NaN|Infinity)/,
    );
  });
});

describe("what is refused", () => {
  const refused = (changes: object) => {
    try {
      new Trainer({ ...toyOptions(), ...changes });
    } catch (error) {
      expect(error).toBeInstanceOf(SeedgradError);
      return error as SeedgradError;
    }
    throw new Error("no error");
  };

  test.each([[-1], [1.5], [2n ** 64n], [-1n], ["abc"], [Number.NaN], [2 ** 60]])("seed %s", (seed) => {
    expect(refused({ seed })).toMatchObject({ name: "ConfigError", where: "seed" });
  });

  test.each([
    [{ sede: 1 }, "sede", "did you mean seed?"],
    [{ loop: { numEpoch: 1 } }, "loop.numEpoch", "did you mean numEpochs?"],
    [{ checkpoint: { step: 1 }, modelDir: "x" }, "checkpoint.step", "did you mean steps?"],
    [{ loop: { numSteps: 0 } }, "loop.numSteps", undefined],
    [{ metrics: { accuracy: 3 } }, "metrics", undefined],
    [{ model: 3 }, "model", undefined],
    [{ optimizer: {} }, "optimizer", undefined],
    [{ checkpoint: { steps: 3 } }, "checkpoint", undefined],
    [{ model: () => 3 }, "model", undefined],
    [{ deterministic: "lax" }, "deterministic", undefined],
  ])("%j", (changes, where, hint) => {
    const error = refused(changes);
    expect(error).toMatchObject({ name: "ConfigError", where });
    if (hint) expect(error.hint).toContain(hint);
  });

  test("two schedules on one group", () => {
    const schedule = optim.constantLR({ learningRate: 1 });
    expect(refused({ schedulers: [schedule, schedule] }).where).toBe("schedulers");
  });

  test("a finished module beside a seed: refused in strict, marked in warn, fine without a seed", async () => {
    manualSeed(3);
    const model = toyModel();
    expect(refused({ model })).toBeInstanceOf(ReproError);
    const messages: string[] = [];
    const loggers = [{ logMessage: (level: string) => messages.push(level) }];
    const logging = { logLevel: "warn" } as const;
    const warned = toyTrainer({ model, deterministic: "warn", loggers, logging, loop: { numSteps: 1 } });
    expect(messages).toEqual(["warn"]);
    expect((await warned.fit(toyTrain())).digest).toMatch(/^warn:[0-9a-f]{64}$/);
    expect(() => toyTrainer({ model, seed: null })).not.toThrow();
  });

  test("no limit, no optimizer, no loss, no batches", async () => {
    await expect(toyTrainer({ loop: {} }).fit(toyTrain())).rejects.toThrow(/nothing says when training ends/);
    await expect(toyTrainer({ optimizer: undefined }).fit(toyTrain())).rejects.toThrow(/training needs one/);
    await expect(toyTrainer({ loss: undefined }).fit(toyTrain())).rejects.toThrow(/no scalar to minimise/);
    await expect(toyTrainer().fit({ ...toyTrain(), batchesPerEpoch: 0 })).rejects.toThrow(/no full batch/);
  });

  test("a model that gives its own loss", async () => {
    class Own extends nn.Module {
      readonly layer = nn.linear(4, 2);
      override forward(inputs: Parameters<nn.Linear["forward"]>[0]) {
        const outputs = this.layer.forward(inputs);
        return { loss: outputs.mul(outputs).mean(), outputs };
      }
    }
    const run = await toyTrainer({ model: () => new Own(), loss: undefined }).fit(toyTrain());
    expect(run.loss).toBeGreaterThan(0);
  });
});
