// Runs that nobody touched are the same, however they came about.
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/core/canonical.ts";
import { InterruptedError } from "../../src/core/errors.ts";
import { accuracy } from "../../src/nn/metrics.ts";
import { readChain } from "../../src/run/chainfile.ts";
import { loadCheckpoint } from "../../src/run/checkpoint.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { verifyRun } from "../../src/verify/verify.ts";
import {
  chosenRate,
  editJson,
  fileOf,
  held,
  type Init,
  made,
  other,
  program,
  runs,
  said,
  work,
} from "../support/tampered.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

describe("runs that nobody touched are the same", () => {
  const honest: [string, Init, Record<string, unknown>?][] = [
    ["under EarlyStopping that stops it", { callbacks: [{ EarlyStopping: { patience: 1, stopping_threshold: 100 } }] }],
    [
      "with the best checkpoints kept",
      { checkpoint: { keep: 1, keep_best: { metric: "accuracy", mode: "max", k: 2 } } },
    ],
    ["with several validation loaders", {}, { val_dataloader: [held, other] }],
    ["with gradients accumulated", { loop: { num_steps: 6, eval_frequency: 3, grad_accum_steps: 2 } }],
    [
      "in mixed precision under a dynamic scale",
      { precision: { enabled: true, fp16_type: "float16", loss_scaling_factor: "dynamic" } },
    ],
    [
      "with an equal average, no schedule",
      { schedulers: [], callbacks: [{ StochasticWeightAveraging: { start: 2 } }] },
    ],
    ["at a rate that a finder chose", chosenRate],
    [
      "beside finders that only look",
      { callbacks: [{ LearningRateFinder: { steps: 10 } }, { BatchSizeFinder: { maximum: 4, steps: 1 } }] },
    ],
    ["without validation", { schedulers: [], callbacks: [], loop: { num_steps: 6 } }, { val_dataloader: null }],
    ["with the initial checkpoint", { checkpoint: { steps: 3, save_initial_checkpoint: true } }],
    ["from a drawn seed", { seed: null }],
  ];
  test.each(honest)("%s", { timeout: 60_000 }, async (name, init, fit) => {
    const folder = await made(`honest ${name}`, init, fit);
    expect((await said(folder)).text).toBe("");
    expect(await verifyRun(folder, { backend: "wasm" })).toMatchObject({ verdict: "same", equal: true });
  });

  test("the base itself; from a checkpoint, which is said", async () => {
    const whole = await verifyRun(runs.base);
    expect(whole).toMatchObject({ verdict: "same", equal: true });
    expect(whole.checks.filter(({ found }) => found === "same").map(({ what }) => what)).toEqual(
      expect.arrayContaining(["chain.bin", "result: metrics", "checkpoints/checkpoint_6.safetensors"]),
    );
    const part = await verifyRun(runs.base, { from: 4 });
    expect(part).toMatchObject({ verdict: "same", steps: 2 });
    expect(part.checks).toContainEqual({
      what: "steps 1 to 4",
      found: "trusted",
      detail: "the checkpoint at step 4 was taken as it is",
    });
  }, 60_000);

  test("interrupted, and resumed; and made longer, across a validation that only its first end had", async () => {
    const stopped = `${work}/stopped`;
    const stop = new AbortController();
    stop.abort("enough");
    await expect(program(stopped).fit(stop.signal)).rejects.toThrow(InterruptedError);
    await program(stopped).fit();
    expect((await said(stopped)).text).toBe("");
    const longer = `${work}/longer`;
    await program(longer, { loop: { num_steps: 3, eval_frequency: 2 } }).fit();
    await program(longer).fit();
    expect(await said(longer)).toMatchObject({ verdict: "same", text: "" });
    expect(readdirSync(`${longer}/checkpoints`)).toContain("checkpoint_3.safetensors");
  }, 60_000);

  test("gone on with under other metrics, whose numbers an earlier checkpoint hasn't", async () => {
    const modelDir = `${work}/metrics`;
    const options = (names: readonly string[], numSteps: number): Partial<TrainerOptions> => ({
      modelDir,
      metrics: Object.fromEntries(names.map((name) => [name, accuracy()])),
      loop: { numSteps, evalFrequency: 2 },
      checkpoint: { steps: 2 },
    });
    await toyTrainer(options(["accuracy", "older"], 4)).fit(toyTrain(), toyTest());
    const trainer = () => toyTrainer(options(["accuracy", "newer"], 6));
    await trainer().fit(toyTrain(), toyTest());
    const given = { train: toyTrain(), val: toyTest() };
    const { verdict, checks } = await trainer().verify(modelDir, given);
    expect(verdict).toBe("same");
    const what = "metrics of checkpoints/checkpoint_4.safetensors: index.json";
    expect(checks.filter((check) => check.what === what)).toEqual([
      expect.objectContaining({ found: "same" }),
      { what, found: "trusted", detail: "not recorded there: newer" },
      { what, found: "trusted", detail: "not among the program's metrics: older" },
    ]);
    editJson(`${modelDir}/checkpoints/index.json`, (index) => {
      index.checkpoints[1].metrics.accuracy = 0.123;
    });
    expect((await trainer().verify(modelDir, given)).verdict).toBe("different");
  }, 60_000);

  test("made in code: without validation data it says that metrics aren't checked", async () => {
    const modelDir = `${work}/code`;
    const options = { modelDir, loop: { numSteps: 6, evalFrequency: 3 } };
    const run = await toyTrainer(options).fit(toyTrain(), toyTest());
    const whole = await toyTrainer(options).verify(modelDir, { train: toyTrain(), val: toyTest() });
    expect(whole).toMatchObject({ verdict: "same", digest: run.digest });
    const blind = await toyTrainer(options).verify(modelDir, { train: toyTrain() });
    expect(blind.verdict).toBe("same");
    expect(blind.checks).toContainEqual({
      what: "result: metrics",
      found: "trusted",
      detail: "metrics not checked: no validation data",
    });
    editJson(`${modelDir}/config.json`, (value) => {
      value.seed = "8";
    });
    expect((await toyTrainer(options).verify(modelDir, { train: toyTrain() })).difference).toBe(
      "config.json: seed is 7, recorded 8",
    );
    expect(toHex(readChain(`${modelDir}/chain.bin`)[5].hash)).toBe(loadCheckpoint(fileOf(modelDir, 6)).state.chain);
  }, 60_000);
});
