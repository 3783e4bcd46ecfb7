// Every option that is a number of things, given the largest number there is: either it is refused at once, with what it would take, or it
// means "never" or "all", and the run is no longer for it.
import { describe, expect, test } from "vitest";
import { dataLoader } from "../../src/data/loader.ts";
import { textWindows } from "../../src/data/text.ts";
import * as sg from "../../src/index.ts";
import { losses, metrics, nn, optim } from "../../src/index.ts";
import type { Callback } from "../../src/train/contract.ts";
import type { TrainerOptions } from "../../src/train/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyModel, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const most = Number.MAX_SAFE_INTEGER;

/** Two steps of the toy, with changes. */
async function fitToy({ loop, ...changes }: Partial<TrainerOptions>): Promise<unknown> {
  const trainer = toyTrainer({ loop: { numSteps: 2, evalFrequency: 1, ...loop }, ...changes });
  return trainer.fit(toyTrain(), toyTest());
}
const withCallback = (make: () => Callback) => () => fitToy({ callbacks: [make()] });
const inFolder = (checkpoint: TrainerOptions["checkpoint"]) => () =>
  fitToy({ modelDir: temporaryFolder(), checkpoint });
const scheduled = (make: (n: number) => optim.Schedule) => () => fitToy({ schedulers: [make(most)] });
const relevance = () => ({ targets: sg.tensor([[1, 0]]) });
const scores = () => sg.tensor([[1, 2]]);

const refused: Readonly<Record<string, readonly [call: () => unknown, message: RegExp]>> = {
  "BatchSizeFinder.memory": [
    withCallback(() => new sg.BatchSizeFinder({ memory: most })),
    /9007199254740991 MiB, expected at most 65536 MiB/,
  ],
  "BatchSizeFinder.steps": [
    withCallback(() => new sg.BatchSizeFinder({ steps: most })),
    /9007199254740991: each is a step of training .*expected at most 65536/,
  ],
  "LearningRateFinder.steps": [
    withCallback(() => new sg.LearningRateFinder({ steps: most })),
    /9007199254740991: each is a step of training .*expected at most 65536/,
  ],
  "OpProfiler.repeats": [
    withCallback(() => new sg.OpProfiler({ repeats: most })),
    /9007199254740991: each is a run of every kernel .*expected at most 65536/,
  ],
  "SkipSamples.samples": [withCallback(() => new sg.SkipSamples({ samples: most })), /SkipSamples\.samples/],
  "Lora.rank": [withCallback(() => new sg.Lora({ rank: most })), /too many elements/],
  fastDevRun: [() => fitToy({ fastDevRun: most }), /fastDevRun: .*in \[1, 65536\]/],
  "precision.stepsPerIncrease": [
    () => fitToy({ precision: { lossScalingFactor: "dynamic", stepsPerIncrease: most } }),
    /precision\.stepsPerIncrease: .*in \[1, 2147483647\]/,
  ],
  "loop.gradAccumSteps": [() => fitToy({ loop: { gradAccumSteps: most } }), /expected at most \d+/],
  "loop.numEpochs": [
    () => toyTrainer({ loop: { numEpochs: most } }).fit(toyTrain()),
    /9007199254740991 epochs of 4 steps, expected fewer than 2\^53 steps/,
  ],
  threads: [() => fitToy({ backend: "wasm", threads: most }), /threads/],
  "loader.batchSize": [() => fitWith(most), /no full batch/],
  "textWindows.context": [() => textWindows("t", "abcdefgh", { context: most }), /shorter than one sample/],
  "metrics.auc.bins": [
    () => metrics.auc({ bins: most }).terms(scores(), relevance()),
    /9007199254740991: .* MiB a batch, expected at most 16777216/,
  ],
  "metrics.topKAccuracy.k": [() => metrics.topKAccuracy({ k: most }).terms(scores(), relevance()), /more places/],
  "metrics.precisionAtK.k": [() => metrics.precisionAtK({ k: most }).terms(scores(), relevance()), /more places/],
  "metrics.recallAtK.k": [() => metrics.recallAtK({ k: most }).terms(scores(), relevance()), /more places/],
  "optim.orthogonalize.iterations": [() => optim.orthogonalize(scores(), most), /in \[0, 100\)/],
  "optim.muon.newtonSchulzSteps": [
    () => optim.muon(toyModel().parameters(), { learningRate: 0.1, newtonSchulzSteps: most }),
    /newtonSchulzSteps/,
  ],
  "Stream.reserve": [() => new sg.Stream(1).reserve(most), /used up/],
  "nn.cnn.channels": [
    () => nn.cnn({ input: [1, 4, 4], channels: [most], classes: 2 }),
    /1\.62e\+17 parameters, 6\.04e\+8 GiB, expected .* 64 GiB/,
  ],
  "nn.cnn.classes": [() => nn.cnn({ input: [1, 4, 4], channels: [2], classes: most }), /8\.11e\+16 parameters/],
  "nn.cnn.input": [() => nn.cnn({ input: [1, most, most], channels: [2], classes: 2 }), /parameters/],
  "nn.cnn.size": [() => nn.cnn({ input: [1, 4, 4], channels: [2], classes: 2, size: most }), /parameters/],
  "nn.gpt.layers": [
    () => nn.gpt({ vocabulary: 2, context: 2, width: 2, heads: 1, layers: most }),
    /9007199254740991 layers/,
  ],
  "nn.gpt.vocabulary": [() => nn.gpt({ vocabulary: most, context: 2, width: 2, heads: 1, layers: 1 }), /parameters/],
  "nn.gpt.context": [() => nn.gpt({ vocabulary: 2, context: most, width: 2, heads: 1, layers: 1 }), /parameters/],
  "nn.gpt.width": [() => nn.gpt({ vocabulary: 2, context: 2, width: most, heads: 1, layers: 1 }), /parameters/],
};

/** The toy in batches of another size. */
const fitWith = (batchSize: number) => toyTrainer({ loop: { numSteps: 2 } }).fit(toyTrain({ batchSize }));

const harmless: Readonly<Record<string, () => unknown>> = {
  "BatchSizeFinder.maximum": withCallback(() => new sg.BatchSizeFinder({ maximum: most, memory: 1, steps: 1 })),
  "DumpActivations.every": () =>
    fitToy({ modelDir: temporaryFolder(), callbacks: [new sg.DumpActivations({ every: most })] }),
  "EarlyStopping.patience": withCallback(() => new sg.EarlyStopping({ patience: most })),
  "ExponentialMovingAverage.every": withCallback(() => new sg.ExponentialMovingAverage({ every: most })),
  "ExponentialMovingAverage.start": withCallback(() => new sg.ExponentialMovingAverage({ start: most })),
  "StochasticWeightAveraging.start": withCallback(() => new sg.StochasticWeightAveraging({ start: most })),
  "StochasticWeightAveraging.every": withCallback(() => new sg.StochasticWeightAveraging({ start: 1, every: most })),
  "GlobalFlags.logSteps": withCallback(() => new sg.GlobalFlags({ logSteps: most })),
  "ScopedFlags.logSteps": withCallback(() => new sg.ScopedFlags({ train: { logSteps: most } })),
  "KeepNCheckpoints.n": withCallback(() => new sg.KeepNCheckpoints({ n: most })),
  "ModelSummary.depth": withCallback(() => new sg.ModelSummary({ depth: most })),
  "NaNChecker.every": withCallback(() => new sg.NaNChecker({ every: most })),
  "OpProfiler.rows": withCallback(() => new sg.OpProfiler({ rows: most, repeats: 1 })),
  "SanityValidation.steps": withCallback(() => new sg.SanityValidation({ steps: most })),
  "SaveCheckpointState.every": withCallback(() => new sg.SaveCheckpointState({ every: most })),
  "Sparsity.schedule": withCallback(
    () => new sg.Sparsity({ sparsity: 0.5, schedule: { begin: most, end: most, every: most } }),
  ),
  "checkpoint.steps": inFolder({ steps: most }),
  "checkpoint.keep": inFolder({ keep: most }),
  "checkpoint.keepBest.k": inFolder({ keepBest: { metric: "loss", k: most } }),
  "logging.logSteps": () => fitToy({ logging: { logLevel: "silent", logSteps: most } }),
  "loop.evalFrequency": () => fitToy({ loop: { evalFrequency: most } }),
  "loop.evalSteps": () => fitToy({ loop: { evalSteps: most } }),
  "loop.maxSteps": () => fitToy({ loop: { maxSteps: most } }),
  "loop.overfitBatches": () => fitToy({ loop: { overfitBatches: most } }),
  "loop.stepsPerEpoch": () => fitToy({ loop: { stepsPerEpoch: most } }),
  "Trainer.evaluate.steps": () => toyTrainer().evaluate([toyTest()], { steps: most }),
  "textWindows.stride": () => textWindows("t", "abcdefgh", { context: 2, stride: most }),
  "loader.batchSize in validation": () =>
    toyTrainer({ loop: { numSteps: 1, evalFrequency: 1 } }).fit(
      toyTrain(),
      dataLoader(textlessToy(), { batchSize: most }),
    ),
  "optim.constantLR": scheduled((n) => optim.constantLR({ learningRate: 0.1, totalIters: n })),
  "optim.linearLR": scheduled((n) => optim.linearLR({ initialLearningRate: 0.1, endLearningRate: 0, totalIters: n })),
  "optim.polynomialLR": scheduled((n) =>
    optim.polynomialLR({ initialLearningRate: 0.1, endLearningRate: 0, totalIters: n, power: 2, cycle: true }),
  ),
  "optim.cosineDecayLR": scheduled((n) =>
    optim.cosineDecayLR({ initialLearningRate: 0.1, endLearningRate: 0, totalIters: n }),
  ),
  "optim.exponentialLR": scheduled((n) =>
    optim.exponentialLR({ initialLearningRate: 0.1, totalIters: n, decayRate: 0.5, staircase: true }),
  ),
  "optim.multiStepLR": scheduled((n) => optim.multiStepLR({ initialLearningRate: 0.1, gamma: 0.5, milestones: [n] })),
  "optim.stepLR": scheduled((n) => optim.stepLR({ initialLearningRate: 0.1, stepSize: n, gamma: 0.5 })),
  "optim.piecewiseConstantLR": scheduled((n) =>
    optim.piecewiseConstantLR({ learningRates: [0.1, 0.2], milestones: [n] }),
  ),
  "optim.cosineAnnealingLR": scheduled((n) => optim.cosineAnnealingLR({ initialLearningRate: 0.1, TMax: n })),
  "optim.cosineAnnealingWarmRestartsLR": scheduled((n) =>
    optim.cosineAnnealingWarmRestartsLR({ initialLearningRate: 0.1, T0: n, TMult: n }),
  ),
  "optim.inverseExponentialTimeDecayLR": scheduled((n) =>
    optim.inverseExponentialTimeDecayLR({ initialLearningRate: 0.1, stepExponent: 1, totalIters: n, decayRate: 0.5 }),
  ),
  "optim.inverseSquareRootDecayLR": scheduled((n) =>
    optim.inverseSquareRootDecayLR({ initialLearningRate: 0.1, scale: 1, warmupSteps: n }),
  ),
  "optim.cyclicLR": scheduled((n) =>
    optim.cyclicLR({ baseLr: 0.1, maxLr: 0.2, stepSizeUp: n, stepSizeDown: n, mode: "triangular2" }),
  ),
  "optim.oneCycleLR": scheduled((n) => optim.oneCycleLR({ initialLearningRate: 0.1, maxLr: 0.2, totalSteps: n })),
  "optim.reduceOnPlateauLR": scheduled((n) =>
    optim.reduceOnPlateauLR({ initialLearningRate: 0.1, metric: "loss", patience: n, cooldown: n }),
  ),
  "optim.sequentialLR": scheduled((n) => {
    const part = () => optim.constantLR({ learningRate: 0.1, totalIters: n });
    return optim.sequentialLR({ schedulers: [part(), part()], milestones: [n] });
  }),
};

const textlessToy = () =>
  sg.data.arrayDataset("small", {
    inputs: { data: new Float32Array(8), shape: [2, 4], dtype: "float32" },
    targets: { data: Int32Array.of(0, 1), shape: [2], dtype: "int32" },
  });

describe("the largest number of things", () => {
  test.each(Object.entries(refused))("%s: refused at once", async (_, [call, message]) => {
    const refusal = (async () => call())();
    await expect(refusal).rejects.toThrow(sg.SeedgradError);
    await expect(refusal).rejects.toThrow(message);
  });

  test.each(Object.entries(harmless))("%s: the run is no longer for it", async (_, call) => {
    await call();
  });

  test("a batch size finder without a limit of its own ends where memory does, before a batch is made", async () => {
    const finder = new sg.BatchSizeFinder({ maximum: most, memory: 1, steps: 1 });
    await fitToy({ callbacks: [finder] });
    const { tried } = finder;
    expect(tried.length).toBeGreaterThan(5);
    expect(tried.every(({ bytes }) => bytes <= 2 ** 20)).toBe(true);
    expect(tried.map(({ batchSize }) => batchSize)).toEqual(tried.map((_, i) => 2 ** i));
  });

  test("a run of the largest number of steps takes as many as it is let", async () => {
    const trainer = toyTrainer({
      loop: { numSteps: most },
      callbacks: [{ onTrainBatchEnd: ({ trainer, step }) => (step === 3 ? trainer.stop("enough") : undefined) }],
    });
    await trainer.fit(toyTrain());
    expect(trainer.step).toBe(3);
  });

  test("a model that no machine holds is refused on every backend, before it is made", async () => {
    const model = () => nn.sequential(nn.linear(4, 2 ** 33), nn.linear(2 ** 33, 2));
    for (const backend of ["reference", "wasm"])
      await expect(toyTrainer({ model, backend, loss: losses.crossEntropy }).fit(toyTrain())).rejects.toThrow(
        /GiB of state .* the largest parameter is 0\.weight \[8589934592, 4\]/,
      );
  });

  test("elements that there is no memory for are a typed error", async () => {
    const backend = await sg.loadBackend("reference");
    expect(() => backend.allocate("float32", 2 ** 50)).toThrow(sg.BackendError);
  });
});
