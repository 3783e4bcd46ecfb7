// Gradient accumulation: one step of several micro-batches, in a written order, the same bits everywhere, and steps counted as optimizer steps.
import { describe, expect, test } from "vitest";
import { float32Bits } from "../../src/core/canonical.ts";
import { DataError } from "../../src/core/errors.ts";
import { groups } from "../../src/data/groups.ts";
import type { DataLoader } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import { type CrossEntropyOptions, crossEntropy } from "../../src/nn/losses.ts";
import * as optim from "../../src/optim/index.ts";
import { watch } from "../../src/program/trace.ts";
import { readChain } from "../../src/run/chainfile.ts";
import { listCheckpoints, loadCheckpoint } from "../../src/run/checkpoint.ts";
import type { Callback, Logger, StepResult, TrainerOptions } from "../../src/train/contract.ts";
import { replayRun } from "../../src/verify/replay.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

/** 35 batches of 2 and groups of 4: nine steps an epoch, the last of three micro-batches. */
const loader = (changes = {}) => toyTrain({ batchSize: 2, ...changes });
const loop = { numEpochs: 2, gradAccumSteps: 4 };
const bits = (values: ArrayLike<number>) => Array.from(values, float32Bits);

test("a loss that is a mean over what counts is warned of, once; one over samples, and one without micro-batches, aren't", async () => {
  const warnings = async (options: CrossEntropyOptions, gradAccumSteps: number, scale?: number) => {
    const messages: string[] = [];
    const logger: Logger = { logMessage: (level, text) => void (level === "warn" && messages.push(text)) };
    await toyTrainer({
      loss: (outputs, batch) => {
        const loss = crossEntropy(outputs, batch, options);
        return scale === undefined ? loss : loss.mul(scale);
      },
      loop: { numSteps: 9, gradAccumSteps },
      loggers: [logger],
      logging: { logLevel: "warn" },
    }).fit(loader({ dropLast: false }));
    return messages;
  };
  expect(await warnings({ ignoreIndex: 5 }, 4)).toEqual([expect.stringMatching(/^gradAccumSteps: .*ignoreIndex/)]);
  expect(await warnings({ ignoreIndex: 5 }, 4, 2)).toEqual([expect.stringMatching(/^gradAccumSteps: .*ignoreIndex/)]);
  expect(await warnings({ ignoreIndex: 5 }, 1)).toEqual([]);
  expect(await warnings({ classWeights: [1, 2], reduction: "sum" }, 4)).toEqual([]);
});

describe("one step", () => {
  test.each([
    ["whole micro-batches", 2, 35, [2, 2, 2, 2]],
    ["a short last one, which counts by its samples", 20, 4, [20, 20, 20, 10]],
  ] as const)(
    "is p − rate·(w₁·g₁ + …), w being shares of the samples, its loss alike, to the bit: %s",
    async (_, batchSize, batches, samples) => {
      const own = () => loader({ batchSize, dropLast: false });
      expect(own().batchesPerEpoch).toBe(batches);
      const model = () => nn.sequential(nn.linear(4, 2));
      const optimizer: TrainerOptions["optimizer"] = (made) => optim.sgd(made.parameters(), { learningRate: 1 });
      const seen: StepResult[] = [];
      const callbacks: Callback[] = [{ onTrainStepEnd: (result) => void seen.push(result) }];
      const trainer = toyTrainer({ model, optimizer, callbacks, loop: { numSteps: 1, gradAccumSteps: 4 } });
      await trainer.initialize();
      const before = await trainer.model.parameters()[0].data();
      await trainer.fit(own());
      const parts: { gradient: number[]; loss: number }[] = [];
      for (let i = 0; i < 4; i++) {
        // Each micro-batch in a run of its own, its gradient watched.
        const one: DataLoader = { ...own(), batches: (epoch) => own().batches(epoch, i) };
        const single = toyTrainer({
          model,
          optimizer,
          loop: { numSteps: 1 },
          callbacks: [captureGradient((gradient, loss) => parts.push({ gradient, loss }))],
        });
        await single.fit(one);
      }
      const all = samples.reduce((a: number, b) => a + b, 0);
      const mean = (values: number[]) =>
        values
          .map((value, i) => Math.fround(value * Math.fround(samples[i] / all)))
          .reduce((a, b) => Math.fround(a + b));
      const after = before.map((value, j) => Math.fround(value - mean(parts.map(({ gradient }) => gradient[j]))));
      expect(bits(await trainer.model.parameters()[0].data())).toEqual(bits(after));
      expect(float32Bits(seen[0].loss)).toBe(float32Bits(mean(parts.map(({ loss }) => loss))));
    },
  );

  test("the micro-batches' draws follow each other in the step's one range", async () => {
    const trainer = toyTrainer({ loop: { numSteps: 1, gradAccumSteps: 4 } });
    const before = trainer.stream.position;
    await trainer.fit(loader());
    expect(trainer.stream.position - before).toBe(4 * 2 * 8);
  });
});

function captureGradient(take: (gradient: number[], loss: number) => void): Callback {
  return {
    onTrace: ({ gradients }) => watch("weight", gradients["0.weight"]),
    async onTrainStepEnd({ watched, loss }) {
      take([...(await watched.weight.data())], loss);
    },
  };
}

test("a scaled loss: each micro-batch is weighed before its gradients are unscaled; one graph for equal and unequal groups", async () => {
  const even = { inputs: inputsOf(2), targets: targetsOf(2) };
  const losses: number[] = [];
  const seen: Callback = { onTrainStepEnd: ({ loss }) => void losses.push(loss) };
  const precision = { lossScalingFactor: 1024 };
  const run = (loop: TrainerOptions["loop"], batchSize: number) =>
    toyTrainer({ loop, precision, callbacks: [seen], model: () => nn.sequential(nn.linear(4, 2)) }).fit(
      toyTrain({ batchSize, shuffle: false, dropLast: false }),
    );
  await run({ numSteps: 1, gradAccumSteps: 2 }, 64);
  await run({ numSteps: 1 }, 70);
  // 64 and 6 samples in two micro-batches, and all 70 at once.
  expect(losses[0]).toBeCloseTo(losses[1], 6);
  const step = await toyTrainer({ loop: { gradAccumSteps: 2 } }).trainStep();
  const plans = [
    [0.5, 0.5],
    [0.25, 0.75],
  ].map((shares) => step.plan({ batches: [even, even], shares }));
  expect((await plans[0]).graphHash).toBe((await plans[1]).graphHash);
});

const inputsOf = (rows: number) => ({ data: new Float32Array(rows * 4), shape: [rows, 4], dtype: "float32" as const });
const targetsOf = (rows: number) => ({ data: new Int32Array(rows), shape: [rows], dtype: "int32" as const });

describe("a run", () => {
  test("counts optimizer steps everywhere; the short last group is a graph of its own", async () => {
    const modelDir = `${temporaryFolder()}/run`;
    const seen: { step: number; epoch: number; samples: number; indices: number; rate: number }[] = [];
    const validated: number[] = [];
    const logged: number[] = [];
    const callbacks: Callback[] = [
      {
        onTrainBatchEnd: ({ step, epoch, batch, learningRate: rate }) =>
          void seen.push({ step, epoch, samples: batch.tensors.inputs.shape[0], indices: batch.indices.length, rate }),
        onValidateStart: ({ step }) => void validated.push(step),
      },
    ];
    const whole = { ...loop, evalFrequency: "epoch" } as const;
    const trainer = toyTrainer({
      modelDir,
      loop: whole,
      checkpoint: { steps: 5 },
      logging: { logSteps: 6, logLevel: "silent" },
      loggers: [{ logMetrics: (_, step) => void logged.push(step) }],
      schedulers: optim.linearLR({ initialLearningRate: 0, endLearningRate: 0.18, totalIters: 18 }),
      callbacks,
    });
    const run = await trainer.fit(loader(), toyTest());
    expect(run.steps).toBe(18);
    expect(seen.map(({ step }) => step)).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
    expect(seen.map(({ samples }) => samples)).toEqual([...Array(8).fill(8), 6, ...Array(8).fill(8), 6]);
    expect(seen.map(({ indices }) => indices)).toEqual(seen.map(({ samples }) => samples));
    expect(seen.map(({ epoch }) => epoch)).toEqual([...Array(9).fill(0), ...Array(9).fill(1)]);
    expect(seen[17].rate).toBeCloseTo(0.17, 12);
    expect(validated).toEqual([9, 18]);
    expect([...new Set(logged)]).toEqual([6, 9, 12, 18]);
    expect(listCheckpoints(`${modelDir}/checkpoints`).map(({ step }) => step)).toEqual([5, 10, 15, 18]);
    expect(readChain(`${modelDir}/chain.bin`)).toHaveLength(18);
    expect(trainer.graphs.trainLast).toMatch(/^[0-9a-f]{64}$/);
    expect(loadCheckpoint(`${modelDir}/checkpoints/checkpoint_10.safetensors`).state.loader).toMatchObject({
      epoch: 1,
      cursor: 4,
    });
    const rebuild = (changes: Partial<TrainerOptions>) => ({
      trainer: toyTrainer({ loop: whole, schedulers: trainer.options.schedulers as never, ...changes }),
      train: loader(),
    });
    expect((await replayRun(modelDir, rebuild, {})).equal).toBe(true);
  });

  test("stopped at any step and gone on with: one digest", async () => {
    const { digest } = await toyTrainer({ loop }).fit(loader());
    for (const at of [3, 8, 9, 10, 17]) {
      const modelDir = `${temporaryFolder()}/run`;
      await toyTrainer({ modelDir, loop: { ...loop, maxSteps: at } }).fit(loader());
      expect((await toyTrainer({ modelDir, loop }).fit(loader())).digest, `step ${at}`).toBe(digest);
    }
  });

  test("the same on every backend of class A, and on threads", async () => {
    const short = { numSteps: 10, gradAccumSteps: 4 };
    const digests = new Set<string>();
    for (const backend of ["reference", "wasm", "gpujs:cpu"])
      digests.add((await toyTrainer({ loop: short, backend }).fit(loader())).digest);
    digests.add((await toyTrainer({ loop: short, backend: "wasm", threads: 3 }).fit(loader())).digest);
    expect(digests.size).toBe(1);
  });

  test("another number of micro-batches is another program, and 1 is none", async () => {
    const hash = async (gradAccumSteps: number, batchSize = 2) =>
      (await toyTrainer({ loop: { numSteps: 1, gradAccumSteps } }).fit(toyTrain({ batchSize }))).graphHash;
    expect(new Set([await hash(1), await hash(2), await hash(3)]).size).toBe(3);
    expect(await hash(1, 16)).toBe((await toyTrainer({ loop: { numSteps: 1 } }).fit(toyTrain())).graphHash);
    expect(() => toyTrainer({ loop: { gradAccumSteps: 0 } })).toThrow(/loop\.gradAccumSteps/);
  });

  test("explain plans the step, and the last group's", async () => {
    const trainer = toyTrainer({ loop });
    const planned = await trainer.explain(loader());
    expect(planned.map(({ role }) => role)).toEqual(["init", "train", "trainLast"]);
    expect(planned[1].graph.draws).toBe(4 * 2 * 8);
    expect(planned[2].graph.draws).toBe(3 * 2 * 8);
    await trainer.fit(loader());
    expect([planned[1].graphHash, planned[2].graphHash]).toEqual([trainer.graphs.train, trainer.graphs.trainLast]);
  });
});

describe("groups", () => {
  test("samples of other shapes go into a step, but can't be shown as one batch", async () => {
    const ragged: DataLoader = {
      ...loader(),
      *batches() {
        for (const width of [4, 5])
          yield {
            indices: [0],
            tensors: { inputs: { data: new Float32Array(width), shape: [1, width], dtype: "float32" } },
          };
      },
    };
    for await (const { input, batch } of groups(ragged, { seed: 1n, offset: 0 }, 2)) {
      expect(input).toMatchObject({ batches: { length: 2 }, shares: [0.5, 0.5] });
      expect([...(batch.indices as number[])]).toEqual([0, 0]);
      expect(() => batch.tensors).toThrow(DataError);
    }
  });

  test("a loader without indices: the chain takes the tensors", async () => {
    const bare = (): DataLoader => {
      const whole = loader();
      return {
        ...whole,
        *batches(epoch, start) {
          for (const { tensors } of whole.batches(epoch, start) as Iterable<{ tensors: never }>)
            yield { tensors } as never;
        },
      };
    };
    const runs = [await toyTrainer({ loop }).fit(bare()), await toyTrainer({ loop }).fit(bare())];
    expect(runs[0].digest).toBe(runs[1].digest);
    expect(runs[0].digest).not.toBe((await toyTrainer({ loop }).fit(loader())).digest);
  });
});
