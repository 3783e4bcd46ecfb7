// The callbacks that a config may name: `callbacks: [CheckLoss: {}]`.
import { z } from "zod";
import * as callback from "../callbacks/index.ts";
import type { Callback } from "../contract.ts";
import { Catalog } from "./catalog.ts";
import { logLevels } from "./shared.ts";
import { count, decay, expected, flag, limit, list, rate, record, text, word } from "./values.ts";

const from0 = z.int(expected("an integer ≥ 0")).min(0, expected("an integer ≥ 0"));
const finite = z.number(expected("a number"));
const monitor = { metric: text.default("loss"), mode: word(["min", "max"]).optional(), minDelta: rate.default(0) };
const beginning = z.union(
  [
    z.int(expected("a step ≥ 1, or a fraction in (0, 1)")).min(1),
    z.number(expected("a step ≥ 1, or a fraction in (0, 1)")).gt(0).lt(1),
  ],
  expected("a step ≥ 1, or a fraction of all steps in (0, 1)"),
);
const flags = { logLevel: word(logLevels).optional(), logSteps: count.optional() };
const globs = list(text);
const average = { every: count.default(1), validate: flag.default(true) };

export const callbacks = new Catalog<Callback, void, "class">("callback", "class", "a callback: a map with one key")
  .add(
    "BatchSizeFinder",
    { memory: count.default(2048), maximum: count.optional(), steps: count.default(3) },
    (options) => new callback.BatchSizeFinder(options),
  )
  .add("CheckLoss", {}, () => new callback.CheckLoss())
  .add(
    "ComputeNorm",
    { gradients: flag.default(true), parameters: flag.default(true), perLayer: flag.default(false) },
    (options) => new callback.ComputeNorm(options),
  )
  .add("CountParams", {}, () => new callback.CountParams())
  .add(
    "DumpActivations",
    { modules: globs.default(["*"]), every: count.default(1) },
    (options) => new callback.DumpActivations(options),
  )
  .add("DurationProfiler", {}, () => new callback.DurationProfiler())
  .add(
    "EarlyStopping",
    {
      ...monitor,
      patience: count.default(3),
      stoppingThreshold: finite.optional(),
      divergenceThreshold: finite.optional(),
    },
    (options) => new callback.EarlyStopping(options),
  )
  .add(
    "ExponentialMovingAverage",
    { decay: decay.default(0.999), warmup: flag.default(false), start: beginning.default(1), ...average },
    (options) => new callback.ExponentialMovingAverage(options),
  )
  .add("FlopUtilization", { peak: limit.optional() }, (options) => new callback.FlopUtilization(options))
  .add("GlobalFlags", flags, (options) => new callback.GlobalFlags(options))
  .add("KeepNCheckpoints", { n: count }, (options) => new callback.KeepNCheckpoints(options))
  .add(
    "LearningRateFinder",
    {
      minimum: limit.default(1e-6),
      maximum: limit.default(1),
      steps: count.default(60),
      stopAt: limit.default(4),
      apply: flag.default(false),
    },
    (options) => new callback.LearningRateFinder(options),
  )
  .add(
    "LoadCheckpointStates",
    { path: text, states: list(word(["model", "optimizer"])).default(["model"]), strict: flag.default(true) },
    (options) => new callback.LoadCheckpointStates(options),
  )
  .add(
    "LogOptimizerParamGroup",
    { keys: list(text).optional() },
    (options) => new callback.LogOptimizerParamGroup(options),
  )
  .add(
    "Lora",
    { rank: count.default(8), alpha: rate.optional(), modules: globs.default(["*"]), train: globs.default([]) },
    (options) => new callback.Lora(options),
  )
  .add("ModelEvalMetrics", {}, () => new callback.ModelEvalMetrics())
  .add("ModelSummary", { depth: count.optional() }, (options) => new callback.ModelSummary(options))
  .add(
    "NaNChecker",
    { activations: flag.default(true), gradients: flag.optional(), every: count.default(1) },
    (options) => new callback.NaNChecker(options),
  )
  .add(
    "OpProfiler",
    { rows: count.default(12), repeats: count.default(5) },
    (options) => new callback.OpProfiler(options),
  )
  .add("RateProfiler", {}, () => new callback.RateProfiler())
  .add(
    "SaveCheckpointState",
    { states: list(word(["model", "optimizer", "callbacks"])).default(["model"]), every: count.default(1) },
    (options) => new callback.SaveCheckpointState(options),
  )
  .add(
    "ScopedFlags",
    { train: record(flags).optional(), validate: record(flags).optional() },
    (options) => new callback.ScopedFlags(options),
  )
  .add(
    "SelectiveGrad",
    { freeze: globs.optional(), train: globs.optional() },
    (options) => new callback.SelectiveGrad(options),
  )
  .add("SkipSamples", { samples: from0 }, (options) => new callback.SkipSamples(options))
  .add(
    "Sparsity",
    {
      sparsity: decay,
      parameters: globs.optional(),
      method: word(["magnitude", "random"]).default("magnitude"),
      schedule: record({ begin: count.default(1), end: count, every: count.default(1) }).optional(),
    },
    (options) => new callback.Sparsity(options),
  )
  .add(
    "TensorSummaries",
    {
      parameters: globs.default([]),
      gradients: globs.default([]),
      activations: globs.default([]),
      histograms: flag.default(false),
    },
    (options) => new callback.TensorSummaries(options),
  )
  .add("SanityValidation", { steps: count.default(2) }, (options) => new callback.SanityValidation(options))
  .add(
    "StochasticWeightAveraging",
    { start: beginning.default(0.75), ...average },
    (options) => new callback.StochasticWeightAveraging(options),
  );

/** What a run from YAML has unless it is switched off with `Name: null`. */
export const defaultCallbacks: readonly string[] = ["CheckLoss"];
