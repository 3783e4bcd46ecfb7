// All hooks in their stated order: a fit with two validations and saves, one that goes on from a checkpoint, and what fails; what forward may return;
// names in scopes.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { histogramOf } from "../../src/io/histogram.ts";
import * as nn from "../../src/nn/index.ts";
import { crossEntropy } from "../../src/nn/losses.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { EarlyStopping } from "../../src/train/callbacks/early-stopping.ts";
import { ExponentialMovingAverage } from "../../src/train/callbacks/weight-average.ts";
import type { Callback, HookName, Logger, TrainerOptions } from "../../src/train/contract.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const words = (text: string) => text.trim().split(/\s+/) as HookName[];
const construction = words("preSetup setup postSetup");
const beginning = words("onFitStart");
// Strict mode traces twice, and compares.
const traced = words("onTrace onTrace");
const tracedUpdates = words("onTrace onTraceUpdate onTrace onTraceUpdate");
const loading = words("onBeforeLoadCheckpoint preprocessCheckpoint onLoadCheckpoint");
const step = words(
  `onTrainBatchStart onTrainStepStart onAfterOptimizerStep onBeforeSchedulerStep onAfterSchedulerStep onTrainStepEnd`,
);
const saving = words("onSaveCheckpoint postprocessCheckpoint flush onAfterSaveCheckpoint");
const validationBatch = (first: boolean) => [
  ...words("onValidateBatchStart onValidateStepStart"),
  ...(first ? traced : []),
  ...words("onValidateStepEnd onValidateBatchEnd"),
];
const validation = (first: boolean) => [
  ...words("onValidateStart onValidateEpochStart"),
  // Two full batches, and a short one that is a graph of its own.
  ...[first, false, first].flatMap(validationBatch),
  ...words("onValidateEpochEnd onValidateEnd"),
];
const end = words("onTrainEnd flush onFitEnd finalize");
const failing = words("onTrainException onValidateException onFitException");

const all = [
  ...new Set([
    ...construction,
    ...beginning,
    ...tracedUpdates,
    ...loading,
    "onTrainStart",
    "onTrainEpochStart",
    ...step,
    "onTrainEpochEnd",
    "onTrainBatchEnd",
    ...saving,
    ...validation(true),
    ...end,
    ...failing,
    "logMetrics",
    "logHistograms",
    "logSample",
    "flush",
    "logMessage",
  ]),
] as HookName[];
const recorder = (into: string[]): Logger =>
  Object.fromEntries(all.map((name) => [name, () => void into.push(name)])) as Logger;

describe("the order of hooks", () => {
  const options = (modelDir: string, changes: Partial<TrainerOptions> = {}): Partial<TrainerOptions> => ({
    modelDir,
    loop: { numSteps: 2, evalFrequency: 1 },
    checkpoint: { steps: 1 },
    logging: { logSteps: 1, logLevel: "silent" },
    ...changes,
  });

  test("a fit with two validations and two saves", async () => {
    const calls: string[] = [];
    const trainer = toyTrainer(options(`${temporaryFolder()}/run`, { callbacks: [recorder(calls)] }));
    expect(calls).toEqual(construction);
    await trainer.fit(toyTrain(), toyTest());
    const one = (first: boolean) => [
      ...step,
      "logMetrics",
      ...validation(first),
      "logMetrics",
      "onTrainBatchEnd",
      ...saving,
    ];
    expect(calls).toEqual([
      ...construction,
      ...beginning,
      ...tracedUpdates,
      ...words("onTrainStart onTrainEpochStart"),
      ...one(true),
      ...one(false),
      ...end,
    ]);
  });

  test("going on from a checkpoint: it is loaded after the fit begins, before training does", async () => {
    const modelDir = `${temporaryFolder()}/run`;
    await toyTrainer(options(modelDir, { loop: { numSteps: 1 } })).fit(toyTrain());
    const calls: string[] = [];
    await toyTrainer(options(modelDir, { callbacks: [recorder(calls)], loop: { numSteps: 2 } })).fit(toyTrain());
    expect(calls).toEqual([
      ...construction,
      ...beginning,
      ...tracedUpdates,
      ...loading,
      "onTrainStart",
      ...step,
      "logMetrics",
      "onTrainBatchEnd",
      ...saving,
      ...end,
    ]);
  });

  test("epochs: each has its beginning and its end, but where a run goes on or ends inside one; validation tells each loader", async () => {
    const calls: string[] = [];
    const note = (text: string) => void calls.push(text);
    const watcher: Callback = {
      onTrainEpochStart: ({ epoch, step }) => note(`start ${epoch} after ${step}`),
      onTrainEpochEnd: ({ epoch, step, validated }) =>
        note(`end ${epoch} after ${step}, ${Object.keys(validated ?? {})}`),
      onTrainBatchEnd: ({ step }) => note(`${step}`),
      onValidateEpochStart: ({ loader, number }) => note(`${number} of ${loader.batchSize}`),
      onValidateEpochEnd: ({ number }, metrics) => note(`${number} ${Object.keys(metrics)}`),
    };
    const modelDir = `${temporaryFolder()}/run`;
    const trained = (numSteps: number) =>
      toyTrainer(options(modelDir, { callbacks: [watcher], loop: { numSteps, evalFrequency: "epoch" } })).fit(
        toyTrain(),
        [toyTest(), toyTrain()],
      );
    const validated = ["0 of 32", "0 loss,accuracy", "1 of 16", "1 loss,accuracy"];
    await trained(4);
    expect(calls).toEqual([
      ...["start 0 after 0", "1", "2", "3", ...validated],
      ...["end 0 after 4, loss,accuracy,toy#2/loss,toy#2/accuracy", "4"],
    ]);
    calls.length = 0;
    await trained(6);
    expect(calls).toEqual(["start 1 after 4", "5", ...validated, "6"]);
    calls.length = 0;
    await trained(7);
    expect(calls).toEqual([...validated, "7"]);
  });

  test("what fails in a validation is told from the inside out", async () => {
    const calls: string[] = [];
    const faulty: Callback = {
      onValidateStart() {
        throw new Error("no");
      },
    };
    const fitted = toyTrainer(options(`${temporaryFolder()}/run`, { callbacks: [recorder(calls), faulty] })).fit(
      toyTrain(),
      toyTest(),
    );
    await expect(fitted).rejects.toThrow(/onValidateStart/);
    expect(calls.slice(-4)).toEqual(words("onValidateException onTrainException onFitException finalize"));
  });

  test("every hook that a callback may have is called in one of these", () => {
    // A new hook that isn't in `known` fails to compile here.
    const complete: [Exclude<HookName, (typeof known)[number]>] extends [never] ? true : never = true;
    expect(complete).toBe(true);
    expect([...all].sort()).toEqual([...known].sort());
  });
});

const known = [
  "preSetup",
  "setup",
  "postSetup",
  "onFitStart",
  "onBeforeLoadCheckpoint",
  "preprocessCheckpoint",
  "onLoadCheckpoint",
  "onTrainStart",
  "onTrainEpochStart",
  "onTrainBatchStart",
  "onTrainStepStart",
  "onTrace",
  "onTraceUpdate",
  "onAfterOptimizerStep",
  "onBeforeSchedulerStep",
  "onAfterSchedulerStep",
  "onTrainStepEnd",
  "onTrainBatchEnd",
  "onSaveCheckpoint",
  "postprocessCheckpoint",
  "onAfterSaveCheckpoint",
  "onValidateStart",
  "onValidateEpochStart",
  "onValidateBatchStart",
  "onValidateStepStart",
  "onValidateStepEnd",
  "onValidateBatchEnd",
  "onValidateEpochEnd",
  "onValidateEnd",
  "onTrainEpochEnd",
  "onTrainEnd",
  "onFitEnd",
  "onTrainException",
  "onValidateException",
  "onFitException",
  "finalize",
  "logMetrics",
  "logHistograms",
  "logSample",
  "flush",
  "logMessage",
] as const satisfies readonly HookName[];

describe("a callback and its Trainer", () => {
  test.each(["onBeforeForward", "onAfterForward", "onBeforeBackward", "onAfterBackward", "onBeforeOptimizerStep"])(
    "%s can't happen inside the compiled step, and is refused",
    (name) => {
      const made = () => toyTrainer({ callbacks: [{ [name]: () => {} } as Callback] });
      expect(made).toThrow(ConfigError);
      expect(made).toThrow(
        /the compiled step runs whole.*onTrace, to watch a tensor of the step, and onAfterOptimizer/,
      );
    },
  );

  test("what it reads of the Trainer it can't move", async () => {
    const meddling: Callback = {
      onTrainBatchEnd({ trainer }) {
        Object.assign(trainer.progress, { step: 99, stopped: "no" });
        Object.assign(trainer.graphs, { train: "none" });
        for (const key of ["progress", "graphs", "step", "callbacks", "lastRun"])
          expect(() => Object.assign(trainer, { [key]: undefined })).toThrow(TypeError);
      },
    };
    const run = await toyTrainer({ callbacks: [meddling] }).fit(toyTrain());
    expect(run.digest).toBe((await toyTrainer().fit(toyTrain())).digest);
  });
});

describe("what forward may return", () => {
  type Returned = (outputs: Tensor, loss: Tensor) => nn.ModelOutput;
  class Own extends nn.Module {
    readonly layer = nn.linear(4, 2);
    readonly #returned: Returned;
    constructor(returned: Returned) {
      super();
      this.#returned = returned;
    }
    override forward(inputs: Tensor, batch?: nn.Batch): nn.ModelOutput {
      const outputs = this.layer.forward(inputs);
      return this.#returned(outputs, crossEntropy(outputs, batch!));
    }
  }
  const trainer = (returned: Returned, loss: boolean, metrics = true) =>
    toyTrainer({
      model: () => new Own(returned),
      loss: loss ? crossEntropy : undefined,
      ...(!metrics && { metrics: {} }),
      loop: { numSteps: 3, evalFrequency: "end" },
    });

  test("outputs or { outputs } beside a loss; or a loss, [loss, outputs], { loss, outputs } of its own: the same weights", async () => {
    const runs = [
      await trainer((outputs) => outputs, true).fit(toyTrain(), toyTest()),
      await trainer((outputs) => ({ outputs }), true).fit(toyTrain(), toyTest()),
      await trainer((outputs, loss) => [loss, outputs], false).fit(toyTrain(), toyTest()),
      await trainer((outputs, loss) => ({ loss, outputs }), false).fit(toyTrain(), toyTest()),
    ];
    for (const run of runs) {
      expect(run.loss).toBe(runs[0].loss);
      expect(run.metrics).toEqual(runs[0].metrics);
    }
    const bare = await trainer((_, loss) => loss, false, false).fit(toyTrain(), toyTest());
    expect(bare.loss).toBe(runs[0].loss);
    expect(Object.keys(bare.metrics)).toEqual(["loss"]);
  });

  test.each<[string, Returned, boolean, RegExp]>([
    ["two losses", (outputs, loss) => ({ loss, outputs }), true, /a loss of its own, and the Trainer has one too/],
    ["nothing", () => undefined as never, true, /^model.forward: what it returns is no output: got undefined/],
    ["two losses, in a pair", (outputs, loss) => [loss, outputs], true, /got \[loss, outputs\]/],
    [
      "a record without either",
      (outputs) => ({ logits: outputs }),
      true,
      /the model returns no outputs: got a record of logits, [\s\S]*Hint: a model of several outputs computes its loss/,
    ],
    ["no loss at all", (outputs) => outputs, false, /no scalar to minimise: got float32\[16, 2\]/],
    ["metrics without outputs", (_, loss) => loss, false, /no outputs to measure/],
  ])("%s: refused", async (_what, returned, loss, message) => {
    const fitted = trainer(returned, loss).fit(toyTrain(), toyTest());
    await expect(fitted).rejects.toThrow(ConfigError);
    await expect(fitted).rejects.toThrow(message);
  });
});

describe("nameScope", () => {
  test("what is logged in it carries its name; scopes nest, and end when their body fails", async () => {
    const logged: string[] = [];
    const trainer = toyTrainer({
      loggers: [
        { logMetrics: (metrics, step) => void logged.push(...Object.keys(metrics).map((name) => `${name}@${step}`)) },
      ],
    });
    await trainer.logMetrics({ plain: 1 });
    const result = await trainer.nameScope("outer", async () => {
      await trainer.logMetrics({ a: 1 }, 7);
      await trainer.nameScope("inner", () => trainer.logMetrics({ b: 2 }));
      await trainer.nameScope("broken", () => Promise.reject(new Error("no"))).catch(() => {});
      await trainer.evaluate(toyTest());
      return 5;
    });
    await trainer.logMetrics({ plain: 1 });
    expect(result).toBe(5);
    expect(logged).toEqual([
      "plain@0",
      "outer/a@7",
      "outer/inner/b@0",
      "outer/val_loss@0",
      "outer/val_accuracy@0",
      "plain@0",
    ]);
  });

  test("a number named step is refused outside a scope: each record has its step under that name", async () => {
    const trainer = toyTrainer();
    for (const logs of [
      () => trainer.logMetrics({ step: 9 }, 2),
      () => trainer.logHistograms({ step: histogramOf([1, 2])! }),
    ]) {
      await expect(logs()).rejects.toThrow(ConfigError);
      await expect(logs()).rejects.toThrow(/logMetrics: every record has the step under this name/);
    }
    await trainer.nameScope("mine", () => trainer.logMetrics({ step: 9 }));
  });
});

describe("a callback that keeps something, given to two Trainers", () => {
  const loop = { numEpochs: 2, evalFrequency: 1 } as const;
  const made = (seed: number, callback: Callback) => toyTrainer({ seed, loop, callbacks: [callback] });
  const fitted = async (trainer: ReturnType<typeof toyTrainer>) => {
    const { digest } = await trainer.fit(toyTrain(), toyTest());
    return { digest, numbers: await trainer.validate(toyTest()) };
  };
  const kinds: readonly (readonly [string, () => Callback])[] = [
    ["EarlyStopping", () => new EarlyStopping({ patience: 1, restoreBest: true })],
    ["ExponentialMovingAverage", () => new ExponentialMovingAverage({ decay: 0.9 })],
  ];

  test.each(kinds)("%s: one after another each is as with one of its own", async (_, make) => {
    const alone = [await fitted(made(1, make())), await fitted(made(2, make()))];
    const callback = make();
    const [first, second] = [made(1, callback), made(2, callback)];
    expect([await fitted(first), await fitted(second)]).toEqual(alone);
  });

  test.each(kinds)("%s: at once it is refused, and the fit that has it is as it was", async (name, make) => {
    const alone = await fitted(made(1, make()));
    const callback = make();
    const [first, second] = [made(1, callback), made(2, callback)];
    const fitting = fitted(first);
    const refusal = new RegExp(`^${name}: what it keeps is another Trainer's: got a fit in progress has it`);
    await expect(second.fit(toyTrain(), toyTest())).rejects.toThrow(refusal);
    expect(() => made(3, callback)).toThrow(refusal);
    expect(await fitting).toEqual(alone);
  });

  test("an average that a Trainer made later has isn't validated as the first one's", async () => {
    const callback = new ExponentialMovingAverage({ decay: 0.9 });
    const first = made(1, callback);
    await first.fit(toyTrain(), toyTest());
    await fitted(made(2, callback));
    const refusal = /^ExponentialMovingAverage: .* got a Trainer that was made later has it.*\nHint: make one for each/;
    await expect(first.validate(toyTest())).rejects.toThrow(refusal);
    await first.validate(toyTest(), { weights: "raw" });
  });
});
