import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { CheckpointError, ConfigError, TrainingError } from "../../src/core/errors.ts";
import { numericsId } from "../../src/core/numerics.ts";
import { replaceFileCalls } from "../../src/io/files.node.ts";
import * as nn from "../../src/nn/index.ts";
import type { Metric } from "../../src/nn/metrics.ts";
import * as optim from "../../src/optim/index.ts";
import { readChain } from "../../src/run/chainfile.ts";
import { latestCheckpoint, listCheckpoints, loadCheckpoint } from "../../src/run/checkpoint.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { ones } from "../../src/tensor/functions.ts";
import {
  CountParams,
  EarlyStopping,
  type EarlyStoppingOptions,
  LoadCheckpointStates,
  Sparsity,
} from "../../src/train/callbacks/index.ts";
import type { Callback, TrainerOptions } from "../../src/train/contract.ts";
import { CSVLogger } from "../../src/train/loggers/csv.ts";
import { JSONLLogger } from "../../src/train/loggers/jsonl.ts";
import { TensorBoardLogger } from "../../src/train/loggers/tensorboard.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const folders: string[] = [];
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), "seedgrad-resume-"));
  folders.push(made);
  return join(made, "run");
};
afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
});

/** Momentum and dropout, so that slots and draws matter; a schedule, so that the step's number does. */
const options = (modelDir: string, changes: Partial<TrainerOptions> = {}): Partial<TrainerOptions> => ({
  modelDir,
  checkpoint: { steps: 1 },
  schedulers: optim.cosineDecayLR({ initialLearningRate: 0.02, endLearningRate: 0.001, totalIters: 12 }),
  loop: { numEpochs: 3, evalFrequency: 2 },
  logging: { logSteps: 1, logLevel: "silent" },
  loggers: [new CSVLogger(), new JSONLLogger(), new TensorBoardLogger()],
  ...changes,
});

const stopAt = (at: number): Callback => ({
  onTrainBatchEnd({ step }) {
    if (step === at) throw new Error("stop");
  },
});

const stopped = async (modelDir: string, at: number, changes: Partial<TrainerOptions> = {}) =>
  expect(
    toyTrainer(options(modelDir, { callbacks: [stopAt(at)], ...changes })).fit(toyTrain(), toyTest()),
  ).rejects.toThrow(TrainingError);

const files = (modelDir: string) =>
  Object.fromEntries(
    ["chain.bin", "metrics.csv", "metrics.jsonl"].map((name) => [name, readFileSync(join(modelDir, name), "latin1")]),
  );

describe("resume", () => {
  test("stopped at any step and resumed: digest, chain and metrics of a run that never stopped", async () => {
    const whole = folder();
    const run = await toyTrainer(options(whole)).fit(toyTrain(), toyTest());
    for (const at of [1, 4, 5, 8]) {
      const modelDir = folder();
      await stopped(modelDir, at);
      expect(readManifest(join(modelDir, "manifest.json")).status).toBe("failed");
      const resumed = await toyTrainer(options(modelDir)).fit(toyTrain(), toyTest());
      expect([resumed.digest, resumed.streamPosition, resumed.metrics]).toEqual([
        run.digest,
        run.streamPosition,
        run.metrics,
      ]);
      expect(files(modelDir)).toEqual(files(whole));
      expect(readChain(join(modelDir, "chain.bin"))).toHaveLength(12);
      const manifest = readManifest(join(modelDir, "manifest.json"));
      expect(manifest).toMatchObject({
        status: "finished",
        seed: "7",
        seedGiven: true,
        result: { digest: run.digest },
      });
    }
  });

  test("any cadence of checkpoints, or none: one digest", async () => {
    const { digest } = await toyTrainer(options(folder())).fit(toyTrain());
    const choices: TrainerOptions["checkpoint"][] = [
      { steps: 5 },
      {},
      null,
      { steps: 3, saveInitialCheckpoint: true, keep: 2 },
    ];
    for (const checkpoint of choices) {
      const modelDir = folder();
      expect((await toyTrainer(options(modelDir, { checkpoint })).fit(toyTrain())).digest).toBe(digest);
      const saved = existsSync(join(modelDir, "checkpoints")) ? readdirSync(join(modelDir, "checkpoints")) : [];
      expect(saved.filter((name) => name.endsWith(".safetensors")).sort()).toEqual(
        [
          ["checkpoint_10.safetensors", "checkpoint_12.safetensors", "checkpoint_5.safetensors"],
          ["checkpoint_12.safetensors"],
          [],
          ["checkpoint_12.safetensors", "checkpoint_9.safetensors"],
        ][choices.indexOf(checkpoint)],
      );
    }
  });

  test("a checkpoint between two: steps since are taken again, and logs are cut back to it", async () => {
    const whole = folder();
    const run = await toyTrainer(options(whole, { checkpoint: { steps: 3 } })).fit(toyTrain(), toyTest());
    const modelDir = folder();
    await stopped(modelDir, 8, { checkpoint: { steps: 3 } });
    expect(readFileSync(join(modelDir, "metrics.csv"), "utf8")).toContain("\n8,val_loss");
    writeFileSync(join(modelDir, "metrics.jsonl"), '{"step":8,"lo', { flag: "a" });
    const resumed = await toyTrainer(options(modelDir, { checkpoint: { steps: 3 } })).fit(toyTrain(), toyTest());
    expect(resumed.digest).toBe(run.digest);
    expect(files(modelDir)).toEqual(files(whole));
  });

  test("stopped before its first checkpoint: what was logged before the first step is logged once", async () => {
    const [whole, modelDir, resumedAtZero] = [folder(), folder(), folder()];
    const changes = { checkpoint: { steps: 5 }, callbacks: [new CountParams()] };
    await toyTrainer(options(whole, changes)).fit(toyTrain(), toyTest());
    await stopped(modelDir, 2, { ...changes, callbacks: [new CountParams(), stopAt(2)] });
    await toyTrainer(options(modelDir, changes)).fit(toyTrain(), toyTest());
    const initial = { checkpoint: { steps: 5, saveInitialCheckpoint: true } };
    await stopped(resumedAtZero, 2, { ...initial, callbacks: [new CountParams(), stopAt(2)] });
    await toyTrainer(options(resumedAtZero, { ...changes, ...initial })).fit(toyTrain(), toyTest());
    expect(files(whole)["metrics.csv"]).toMatch(
      /^step,name,value\n0,parameters\/total,58\n0,parameters\/trainable,58\n1,/,
    );
    const events = (from: string) => readFileSync(join(from, "events.out.tfevents.0000000000.seedgrad"), "latin1");
    for (const each of [modelDir, resumedAtZero]) {
      expect(files(each)).toEqual(files(whole));
      expect(events(each).split("parameters/total")).toHaveLength(2);
    }
  });

  test("what a Trainer logged before its fit stays", async () => {
    const modelDir = folder();
    const trainer = toyTrainer(options(modelDir));
    await trainer.logMetrics({ mine: 3 });
    await trainer.fit(toyTrain());
    expect(files(modelDir)["metrics.csv"]).toContain("\n0,mine,3\n");
    expect(trainer.lastRun!.history.mine).toEqual({ steps: [0], values: [3] });
  });

  test("a finished run is given again, its weights loaded", async () => {
    const modelDir = folder();
    const run = await toyTrainer(options(modelDir)).fit(toyTrain(), toyTest());
    const before = files(modelDir);
    const trainer = toyTrainer(options(modelDir));
    const again = await trainer.fit(toyTrain(), toyTest());
    expect([again.digest, again.steps, again.metrics]).toEqual([run.digest, run.steps, run.metrics]);
    expect(files(modelDir)).toEqual(before);
    expect(await trainer.validate(toyTest(), { ckptPath: null })).toEqual(run.metrics);
  });

  test("more steps than before: goes on from the last one", async () => {
    const short = folder();
    await toyTrainer(options(short, { loop: { numSteps: 6 } })).fit(toyTrain());
    const longer = await toyTrainer(options(short, { loop: { numSteps: 12 } })).fit(toyTrain());
    const whole = await toyTrainer(options(folder(), { loop: { numSteps: 12 } })).fit(toyTrain());
    expect(longer.digest).toBe(whole.digest);
  });

  test("ckptPath: null begins again; a path goes on from there, from another folder too", async () => {
    const modelDir = folder();
    const run = await toyTrainer(options(modelDir)).fit(toyTrain());
    expect((await toyTrainer(options(modelDir)).fit(toyTrain(), undefined, { ckptPath: null })).digest).toBe(
      run.digest,
    );
    const ckptPath = join(modelDir, "checkpoints/checkpoint_5.safetensors");
    expect((await toyTrainer(options(modelDir)).fit(toyTrain(), undefined, { ckptPath })).digest).toBe(run.digest);
    const other = folder();
    expect((await toyTrainer(options(other)).fit(toyTrain(), undefined, { ckptPath })).digest).toBe(run.digest);
    expect(files(other)["chain.bin"]).toBe(files(modelDir)["chain.bin"]);
    await expect(toyTrainer(options(folder())).fit(toyTrain(), undefined, { ckptPath: "no/such" })).rejects.toThrow(
      ConfigError,
    );
  });

  test("no seed: the folder's is taken up again", async () => {
    const modelDir = folder();
    await stopped(modelDir, 5, { seed: null });
    const { seed, seedGiven } = readManifest(join(modelDir, "manifest.json"));
    expect(seedGiven).toBe(false);
    const run = await toyTrainer(options(modelDir, { seed: null })).fit(toyTrain());
    expect(run.seed.toString()).toBe(seed);
    expect((await toyTrainer(options(folder(), { seed: BigInt(seed) })).fit(toyTrain())).digest).toBe(run.digest);
  });
});

describe("a run that is lengthened is one that was as long from the start", () => {
  const plateau = { initialLearningRate: 0.05, patience: 0, factor: 0.5, threshold: 0.2 };
  const decided = (modelDir: string, numSteps: number, evalFrequency: number | "epoch") =>
    toyTrainer(
      options(modelDir, {
        schedulers: () => optim.reduceOnPlateauLR(plateau),
        callbacks: [new EarlyStopping({ patience: 3, minDelta: 10 })],
        loop: { numSteps, evalFrequency },
      }),
    ).fit(toyTrain(), toyTest());

  test.each([2, "epoch"] as const)(
    "validations that were made only because it ended decide nothing: %s",
    async (every) => {
      const modelDir = folder();
      for (const numSteps of [1, 3, 5, 7]) await decided(modelDir, numSteps, every);
      const [lengthened, whole] = [await decided(modelDir, 20, every), await decided(folder(), 20, every)];
      expect([lengthened.steps, lengthened.stopped, lengthened.digest]).toEqual([
        whole.steps,
        whole.stopped,
        whole.digest,
      ]);
      expect(whole.steps).toBe(every === 2 ? 8 : 16);
    },
  );

  test("EarlyStopping refuses a state of other validations, and one of another number", async () => {
    const run = (modelDir: string, numSteps: number, stopping: EarlyStoppingOptions, loop = {}) =>
      toyTrainer(
        options(modelDir, {
          callbacks: [new EarlyStopping(stopping)],
          loop: { numSteps, evalFrequency: 0.25, ...loop },
        }),
      ).fit(toyTrain(), toyTest());
    const modelDir = folder();
    await run(modelDir, 8, { patience: 8 });
    for (const [again, message] of [
      [() => run(modelDir, 16, { patience: 8 }), /EarlyStopping.*another validation frequency: got 2, expected 4/],
      [
        () => run(modelDir, 16, { patience: 8 }, { evalFrequency: 2, evalSteps: 1 }),
        /another validation evalSteps: got none, expected 1/,
      ],
      [
        () => run(modelDir, 16, { metric: "accuracy", mode: "max" }, { evalFrequency: 2 }),
        /another metric: got loss, expected accuracy/,
      ],
    ] as const) {
      await expect(again()).rejects.toThrow(CheckpointError);
      await expect(again()).rejects.toThrow(message);
    }
    await run(modelDir, 16, { patience: 9 }, { evalFrequency: 2 });
  });
});

describe("what a folder refuses", () => {
  const refusal = async (modelDir: string, changes: Partial<TrainerOptions>, loader = toyTrain()) => {
    const before = files(modelDir);
    const manifest = readFileSync(join(modelDir, "manifest.json"), "utf8");
    const error = await toyTrainer(options(modelDir, changes))
      .fit(loader)
      .catch((caught) => caught);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(files(modelDir)).toEqual(before);
    expect(readFileSync(join(modelDir, "manifest.json"), "utf8")).toBe(manifest);
    return error as CheckpointError;
  };

  test.each<[string, Partial<TrainerOptions>, RegExp]>([
    ["another seed", { seed: 8 }, /another seed: got 7, expected 8/],
    ["another model", { model: () => nn.sequential(nn.linear(4, 2)) }, /another graph/],
    [
      "another learning rate",
      { schedulers: undefined, optimizer: (model) => optim.adamW(model.parameters(), { learningRate: 0.5 }) },
      /another groups\/0\/learningRate/,
    ],
  ])("%s", async (_what, changes, message) => {
    const modelDir = folder();
    await stopped(modelDir, 3);
    expect((await refusal(modelDir, changes)).message).toMatch(message);
  });

  const cyclic = { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 2 };
  const decay = { initialLearningRate: 0.1, totalIters: 4, decayRate: 0.5 };
  const plateau = { initialLearningRate: 0.1, patience: 1 };
  const sparse = (method: "magnitude" | "random") => ({ callbacks: [new Sparsity({ sparsity: 0.5, method })] });
  test.each<[string, Partial<TrainerOptions>, Partial<TrainerOptions>, RegExp]>([
    [
      "another mode of a schedule",
      { schedulers: optim.cyclicLR(cyclic) },
      { schedulers: optim.cyclicLR({ ...cyclic, mode: "triangular2" }) },
      /CyclicLR\/mode\/triangular2: got none/,
    ],
    [
      "a schedule's staircase",
      { schedulers: optim.exponentialLR({ ...decay, staircase: false }) },
      { schedulers: optim.exponentialLR({ ...decay, staircase: true }) },
      /staircase: got 0, expected 1/,
    ],
    [
      "another metric that a schedule goes by",
      { schedulers: optim.reduceOnPlateauLR(plateau) },
      { schedulers: optim.reduceOnPlateauLR({ ...plateau, metric: "accuracy" }) },
      /metric\/accuracy/,
    ],
    [
      "another frequency of the validation that a schedule goes by",
      { schedulers: optim.reduceOnPlateauLR(plateau) },
      { schedulers: optim.reduceOnPlateauLR(plateau), loop: { numEpochs: 3, evalFrequency: 3 } },
      /validation\/period: got 2, expected 3/,
    ],
    ["another method of sparsity", sparse("magnitude"), sparse("random"), /method\/(magnitude|random)/],
  ])("%s", async (_what, before, after, message) => {
    const modelDir = folder();
    await stopped(modelDir, 3, { ...before, callbacks: [...(before.callbacks ?? []), stopAt(3)] });
    const fit = toyTrainer(options(modelDir, after)).fit(toyTrain(), toyTest());
    await expect(fit).rejects.toThrow(message);
  });

  test("a checkpoint from the middle of an epoch whose draws were elsewhere", async () => {
    const modelDir = folder();
    await stopped(modelDir, 7);
    const elsewhere = { ...toyTrain(), drawsPerEpoch: 140 };
    const ckptPath = join(modelDir, "checkpoints/checkpoint_6.safetensors");
    const resumed = toyTrainer({ loop: { numEpochs: 3 } }).fit(elsewhere, undefined, { ckptPath });
    await expect(resumed).rejects.toThrow(
      /in the middle of an epoch at step 6, and this loader draws that epoch's order elsewhere/,
    );
  });

  test("another order of the data, another numerics id", async () => {
    const modelDir = folder();
    await stopped(modelDir, 3);
    expect((await refusal(modelDir, {}, toyTrain({ shuffle: false, dropLast: true }))).message).toMatch(
      /drawsPerEpoch/,
    );
    const path = join(modelDir, "manifest.json");
    writeFileSync(path, readFileSync(path, "utf8").replace(numericsId, "f32-strict/1"));
    expect((await refusal(modelDir, {})).message).toMatch(/of another numerics id.*made by an earlier version/s);
  });

  test("a limit that its steps are past already", async () => {
    const modelDir = folder();
    await toyTrainer(options(modelDir)).fit(toyTrain());
    const { message } = await refusal(modelDir, { loop: { numSteps: 6 } });
    expect(message).toMatch(/later step than the run's last: got step 12, expected at most step 6/);
    const ckptPath = join(modelDir, "checkpoints/checkpoint_6.safetensors");
    const loop = { numSteps: 6 };
    const run = await toyTrainer(options(modelDir, { loop })).fit(toyTrain(), undefined, { ckptPath });
    expect(run.digest).toBe((await toyTrainer(options(folder(), { loop })).fit(toyTrain())).digest);
  });

  test("weights that the run began with, taken away", async () => {
    const [base, modelDir] = [folder(), folder()];
    await toyTrainer(options(base)).fit(toyTrain());
    const path = join(base, "checkpoints/checkpoint_3.safetensors");
    await stopped(modelDir, 3, { callbacks: [new LoadCheckpointStates({ path }), stopAt(3)] });
    expect((await refusal(modelDir, {})).message).toMatch(/another data weights\/checkpoint_3.*expected none/s);
  });

  test("a truncated or changed checkpoint is named, and an earlier one still serves", async () => {
    const modelDir = folder();
    const run = await toyTrainer(options(folder())).fit(toyTrain());
    await stopped(modelDir, 6);
    const path = latestCheckpoint(join(modelDir, "checkpoints"))!;
    expect(path).toContain("checkpoint_5");
    const bytes = readFileSync(path);
    truncateSync(path, bytes.length - 10);
    expect((await refusal(modelDir, {})).message).toContain(path);
    bytes[bytes.length - 3] ^= 1;
    writeFileSync(path, bytes);
    expect((await refusal(modelDir, {})).message).toContain(path);
    const earlier = join(modelDir, "checkpoints/checkpoint_4.safetensors");
    expect((await toyTrainer(options(modelDir)).fit(toyTrain(), undefined, { ckptPath: earlier })).digest).toBe(
      run.digest,
    );
  });

  test("a second run in a folder in use", async () => {
    const modelDir = folder();
    const errors: unknown[] = [];
    const intruder: Callback = {
      async onTrainBatchEnd({ step }) {
        if (step !== 2) return;
        errors.push(
          await toyTrainer(options(modelDir))
            .fit(toyTrain())
            .catch((caught) => caught),
        );
      },
    };
    const run = await toyTrainer(options(modelDir, { callbacks: [intruder] })).fit(toyTrain());
    expect(errors[0]).toBeInstanceOf(CheckpointError);
    expect((errors[0] as Error).message).toMatch(/another run is using this folder/);
    expect(run.digest).toBe((await toyTrainer(options(folder())).fit(toyTrain())).digest);
    expect(existsSync(join(modelDir, "lock"))).toBe(false);
  });

  test("a full disk: a typed error, and the run goes on from the last whole checkpoint", async () => {
    const run = await toyTrainer(options(folder())).fit(toyTrain());
    const modelDir = folder();
    let restore = () => {};
    const full: Callback = {
      onTrainStepStart({ step }) {
        if (step !== 7) return;
        restore = replaceFileCalls({
          writeSync: (() => {
            throw Object.assign(new Error("no space"), { code: "ENOSPC" });
          }) as never,
        });
      },
    };
    const error = await toyTrainer(options(modelDir, { callbacks: [full] }))
      .fit(toyTrain())
      .catch((caught) => caught);
    restore();
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(/disk is full/);
    expect(latestCheckpoint(join(modelDir, "checkpoints"))).toContain("checkpoint_6");
    expect((await toyTrainer(options(modelDir)).fit(toyTrain())).digest).toBe(run.digest);
  });
});

describe("hooks of checkpoints", () => {
  test("their order, in saving and loading", async () => {
    const modelDir = folder();
    const calls: string[] = [];
    const names = [
      ..."onBeforeLoadCheckpoint preprocessCheckpoint onLoadCheckpoint onTrainStart onTrainStepEnd onTrainBatchEnd".split(
        " ",
      ),
      ..."onSaveCheckpoint postprocessCheckpoint onAfterSaveCheckpoint onTrainEnd".split(" "),
    ];
    const recorder: Callback = Object.fromEntries(names.map((name) => [name, () => void calls.push(name)]));
    await stopped(modelDir, 2);
    await toyTrainer(options(modelDir, { callbacks: [recorder], loop: { numSteps: 2 } })).fit(toyTrain());
    expect(calls).toEqual([
      ..."onBeforeLoadCheckpoint preprocessCheckpoint onLoadCheckpoint onTrainStart onTrainStepEnd onTrainBatchEnd".split(
        " ",
      ),
      ..."onSaveCheckpoint postprocessCheckpoint onAfterSaveCheckpoint onTrainEnd".split(" "),
    ]);
  });
});

test("the newest checkpoint's file is gone: the newest that is there is named, and goes on to the same digest", async () => {
  const whole = await toyTrainer(options(folder())).fit(toyTrain(), toyTest());
  for (const at of [8, 12]) {
    const modelDir = folder();
    const changes = { checkpoint: { steps: 3 } };
    if (at === 8) await stopped(modelDir, at, changes);
    else await toyTrainer(options(modelDir, changes)).fit(toyTrain(), toyTest());
    const [last, before] = at === 8 ? [6, 3] : [12, 9];
    const file = (step: number) => `${modelDir}/checkpoints/checkpoint_${step}.safetensors`;
    rmSync(file(last));
    const train = (choice = {}) => toyTrainer(options(modelDir, changes)).fit(toyTrain(), toyTest(), choice);
    await expect(train()).rejects.toThrow(CheckpointError);
    await expect(train()).rejects.toThrow(
      `${file(last)}: the folder's newest checkpoint isn't there: expected the file that index.json names\nHint: put it back; or give an earlier one, ckptPath (--ckpt) ${file(before)}, or null (--ckpt none) for none`,
    );
    expect((await train({ ckptPath: file(before) })).digest).toBe(whole.digest);
    expect(existsSync(file(12))).toBe(true);
  }
});

test("the only checkpoint's file is gone: the run may begin anew", async () => {
  const modelDir = folder();
  const run = await toyTrainer(options(modelDir, { checkpoint: {} })).fit(toyTrain(), toyTest());
  rmSync(`${modelDir}/checkpoints/checkpoint_12.safetensors`);
  const train = (choice = {}) => toyTrainer(options(modelDir, { checkpoint: {} })).fit(toyTrain(), toyTest(), choice);
  await expect(train()).rejects.toThrow(/isn't there: .*\nHint: put it back; or give ckptPath: null \(--ckpt none\)/);
  await expect(toyTrainer(options(modelDir)).validate(toyTest())).rejects.toThrow(/newest checkpoint isn't there/);
  expect((await train({ ckptPath: null })).digest).toBe(run.digest);
});

describe("numbers that JSON lacks", () => {
  const odd: Metric = { name: "odd", mode: "max", terms: () => ones([1]), value: () => Number.NaN };
  const metrics = { odd, low: { ...odd, value: () => Number.NEGATIVE_INFINITY }, zero: { ...odd, value: () => -0 } };
  const run = (modelDir: string, numSteps: number) =>
    toyTrainer({ modelDir, metrics, loop: { numSteps, evalFrequency: 2 }, checkpoint: { steps: 2 } }).fit(
      toyTrain(),
      toyTest(),
    );

  test("a metric that is one of them leaves the next fit as it is, finished or resumed, and comes back", async () => {
    const modelDir = folder();
    const first = await run(modelDir, 4);
    expect(Object.is(first.metrics.zero, -0)).toBe(true);
    expect((await run(modelDir, 4)).metrics).toStrictEqual(first.metrics);
    expect(readManifest(join(modelDir, "manifest.json")).result!.metrics).toStrictEqual(first.metrics);
    expect(listCheckpoints(join(modelDir, "checkpoints")).map((entry) => entry.metrics)).toStrictEqual([
      expect.objectContaining({ odd: Number.NaN, low: Number.NEGATIVE_INFINITY, zero: -0 }),
      first.metrics,
    ]);
    const { state } = loadCheckpoint(latestCheckpoint(join(modelDir, "checkpoints"))!);
    expect(state.metrics).toStrictEqual(first.metrics);
    // The last step isn't validated here: its metrics are the checkpoint's.
    const longer = toyTrainer({ modelDir, metrics, loop: { numSteps: 5 } });
    expect((await longer.fit(toyTrain(), toyTest())).metrics).toStrictEqual(first.metrics);
  });
});

describe("what a checkpoint is begun with is in the record", () => {
  const base = async () => {
    const modelDir = folder();
    await toyTrainer({ modelDir, loop: { numSteps: 3 } }).fit(toyTrain());
    return join(modelDir, "checkpoints/checkpoint_3.safetensors");
  };

  test("LoadCheckpointStates: which states and how strictly; the optimizer's file by its SHA-256 too", async () => {
    const path = await base();
    const run = async (states: ("model" | "optimizer")[], modelDir = folder(), strict = true) => {
      const callbacks = [new LoadCheckpointStates({ path, states, strict })];
      const { digest } = await toyTrainer({ modelDir, callbacks, loop: { numSteps: 2 } }).fit(toyTrain());
      return { digest, modelDir, manifest: readManifest(join(modelDir, "manifest.json")) };
    };
    const { manifest, modelDir } = await run(["optimizer"]);
    const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
    expect(manifest.data["weights/checkpoint_3.safetensors"]).toBe(sha256);
    expect(Object.keys(manifest.hyperparameters)).toEqual(
      expect.arrayContaining([
        "callbacks/LoadCheckpointStates/states/0/optimizer",
        "callbacks/LoadCheckpointStates/strict",
      ]),
    );
    await expect(run(["model"], modelDir)).rejects.toThrow(/another callbacks\/LoadCheckpointStates\/states/);
    await expect(run(["optimizer"], modelDir, false)).rejects.toThrow(
      /another callbacks\/LoadCheckpointStates\/strict/,
    );
    expect(await run(["optimizer"], modelDir)).toMatchObject({ manifest: { status: "finished" } });
  });
});
