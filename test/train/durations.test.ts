// Durations in a run: what a person says in epochs or shares is, bit for bit, what the steps would have been; the manifest has steps, and a longer run in which they would move is refused.
import { describe, expect, test } from "vitest";
import * as optim from "../../src/optim/index.ts";
import { listCheckpoints } from "../../src/run/checkpoint.ts";
import { readManifest } from "../../src/run/manifest.ts";
import * as callbacks from "../../src/train/callbacks/index.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import type { Callback, TrainerOptions } from "../../src/train/contract.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const perEpoch = toyTrain().batchesPerEpoch;
const total = 3 * perEpoch;
const train = (options: Partial<TrainerOptions>, numEpochs = 3) =>
  toyTrainer({ ...options, loop: { numEpochs, evalFrequency: "epoch", ...options.loop } }).fit(toyTrain(), toyTest());

describe("a schedule", () => {
  test("of epochs and shares is the one of those steps", async () => {
    const make = (a: optim.Schedule[], b = a) => [a, b].map((schedulers) => train({ schedulers }));
    const rates = { initialLearningRate: 0.1, endLearningRate: 0.01 };
    const said = [
      optim.sequentialLR({
        schedulers: [
          optim.linearLR({ ...rates, totalIters: "1ep" }),
          optim.multiStepLR({ initialLearningRate: 0.01, gamma: 0.5, milestones: ["0.1dur", "1ep"] }),
        ],
      }),
    ];
    const written = [
      optim.sequentialLR({
        schedulers: [
          optim.linearLR({ ...rates, totalIters: perEpoch }),
          optim.multiStepLR({
            initialLearningRate: 0.01,
            gamma: 0.5,
            milestones: [Math.floor(0.1 * total + 0.5), perEpoch],
          }),
        ],
      }),
    ];
    const [a, b] = await Promise.all(make(said, written));
    expect(a.digest).toBe(b.digest);
  });

  test("has no value before a run's length is known", () => {
    const schedule = optim.linearLR({ initialLearningRate: 0, endLearningRate: 1, totalIters: "0.5dur" });
    expect(() => schedule(0)).toThrow(/LinearLR: its steps aren't known before a run's length is: got 0\.5dur/);
    expect(schedule.resolve!({ stepsPerEpoch: 5, totalSteps: 20 })(5)).toBe(0.5);
    expect(() =>
      optim.linearLR({ initialLearningRate: 0, endLearningRate: 1, totalIters: "2 epochs" as never }),
    ).toThrow(/totalIters: not a number of steps: got .*2 epochs.*2ep/);
  });

  test("with a warm-up rises from 0 first, and ends where it would", () => {
    const rates = { initialLearningRate: 0.3, endLearningRate: 0.1 };
    const warmed = optim.cosineDecayLR({ ...rates, totalIters: 20, warmup: 5 });
    const parts = optim.sequentialLR({
      schedulers: [
        optim.linearLR({ initialLearningRate: 0, endLearningRate: 0.3, totalIters: 5 }),
        optim.cosineDecayLR({ ...rates, totalIters: 15 }),
      ],
    });
    for (let step = 0; step < 25; step++) expect(warmed(step)).toBe(parts(step));
    expect(warmed.totalIters).toBe(20);
    expect(optim.constantLR({ learningRate: 0.5, warmup: 4 })(2)).toBe(0.25);
    expect(optim.constantLR({ learningRate: 0.5, warmup: 4 })(4)).toBe(0.5);
    expect(() => optim.linearLR({ ...rates, totalIters: 5, warmup: 5 })).toThrow(
      /LinearLR\.warmup: .*fewer steps than totalIters, 5/,
    );
    const late = optim.linearLR({ ...rates, totalIters: "1ep", warmup: "0.5dur" });
    expect(() => late.resolve!({ stepsPerEpoch: 4, totalSteps: 20 })).toThrow(/warmup: .*got 10/);
  });

  test("stands in the manifest in steps; a run made longer, in which they would move, is refused with both", async () => {
    const modelDir = temporaryFolder();
    const schedulers = () => [
      optim.linearLR({ initialLearningRate: 0.1, endLearningRate: 0.01, totalIters: "0.5dur", warmup: "1ep" }),
    ];
    await train({ modelDir, schedulers: schedulers() }, 4);
    const { hyperparameters } = readManifest(`${modelDir}/manifest.json`);
    expect(hyperparameters).toMatchObject({
      "schedulers/0/LinearLR/totalIters": { value: 2 * perEpoch },
      "schedulers/0/LinearLR/warmup": { value: perEpoch },
    });
    await expect(train({ modelDir, schedulers: schedulers() }, 6)).rejects.toThrow(
      /another schedulers\/0\/LinearLR\/totalIters: got 8, expected 12/,
    );
    await expect(train({ modelDir, schedulers: schedulers() }, 4)).resolves.toMatchObject({ steps: 4 * perEpoch });
  });
});

describe("checkpoints, logs, validations and callbacks", () => {
  test("take durations where they take steps", async () => {
    const run = async (every: "0.5ep" | "0.25dur" | number, start: "1ep" | number, numEpochs: number) => {
      const modelDir = temporaryFolder();
      const seen: number[] = [];
      const watcher: Callback = { onValidateEnd: ({ trainer }) => void seen.push(trainer.step) };
      const { digest } = await train(
        {
          modelDir,
          checkpoint: { steps: every },
          logging: { logSteps: every, logLevel: "silent" },
          loop: { numEpochs, evalFrequency: every },
          callbacks: [
            new callbacks.StochasticWeightAveraging({ start, every }),
            new callbacks.Sparsity({ sparsity: 0.5, schedule: { begin: 1, end: every, every: 1 } }),
            watcher,
          ],
        },
        numEpochs,
      );
      return { digest, seen, steps: listCheckpoints(`${modelDir}/checkpoints`).map(({ step }) => step) };
    };
    const [said, written] = [await run("0.5ep", 1, 2), await run(2, 1, 2)];
    expect(said).toEqual(written);
    expect(said.steps).toEqual([2, 4, 6, 8]);
    expect(said.seen).toEqual([2, 4, 6, 8]);
    expect(await run("0.25dur", "1ep", 3)).toEqual(await run(3, 4, 3));
  });

  test("in a config, and what is none there", () => {
    const text = (steps: string) =>
      `trainer: {init: {seed: 1, model: {name: mlp, sizes: [4, 2]}, schedulers: [{LinearLR: {initial_learning_rate: 0, end_learning_rate: 1, total_iters: ${steps}}}], loop: {num_epochs: 1, eval_frequency: ${steps}}, checkpoint: {steps: ${steps}}, logging: {log_steps: ${steps}}, callbacks: [{NaNChecker: {every: ${steps}}}]}}`;
    const { init } = parseConfig(text("0.1dur"), "d.yaml").trainer;
    expect([init.loop.evalFrequency, init.checkpoint!.steps, init.logging.logSteps]).toEqual(Array(3).fill("0.1dur"));
    expect(init.schedulers).toMatchObject([{ totalIters: "0.1dur" }]);
    for (const bad of ["2epochs", "0dur", "-1", "1.5"]) {
      expect(() => parseConfig(text(bad), "d.yaml")).toThrow(/d\.yaml:1:\d+: .*(≥ 1|as in 2ep)/);
    }
  });
});
