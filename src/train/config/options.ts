// What a Trainer is constructed with, checked by the schema that YAML is checked by.

import * as z from "zod";
import type { Threads } from "../../backend/load.ts";
import type { Backend } from "../../compile/contract.ts";
import { ConfigError, refuse } from "../../core/errors.ts";
import { OptionRecord } from "../../core/options.ts";
import type { Thing } from "../../core/things.ts";
import type { Loss } from "../../nn/losses.ts";
import type { Metric } from "../../nn/metrics.ts";
import { Module } from "../../nn/module.ts";
import { monitoredName } from "../../optim/monitored.ts";
import { Optimizer } from "../../optim/optimizer.ts";
import type { Schedule } from "../../optim/schedules/index.ts";
import {
  type CheckpointOptions,
  type LoggingOptions,
  type LoopOptions,
  type PrecisionOptions,
  sharedShape,
} from "./shared.ts";
import { isClass, validate } from "./validate.ts";
import { count, expected, list, record, text, textOf, texts } from "./values.ts";

/** A parsed config, as far as a Trainer looks into it: `Config` is one. */
export interface RunConfig {
  readonly imports?: readonly string[];
  readonly trainer: {
    readonly init: Readonly<Record<string, unknown>> & { readonly model: { readonly name: string } };
  };
}

/** One of several optimizers of a Trainer. */
export interface OptimizerEntry {
  /** Is called with a model whose parameters are those of the globs. */
  readonly optimizer: (model: Module) => Optimizer;
  /** Globs of paths: each trained parameter is in one optimizer. */
  readonly parameters: string | readonly string[];
  /** It takes the first step, and every so many after it: 1 unless given. One optimizer at least takes all. */
  readonly frequency?: number;
  /** The name of the loss that it minimises, in the record that the model returns; `loss` unless given. */
  readonly minimizes?: string;
  /** Of its groups, by the run's steps. */
  readonly schedulers?: TrainerSettings["schedulers"];
}

/** What a Trainer is made with, beside its callbacks and loggers. */
export interface TrainerSettings {
  /** An integer in [0, 2⁶⁴). Left out or null: one is drawn from the operating system, logged and saved. */
  readonly seed?: number | bigint | null;
  /** The run's folder. Left out: nothing is written. */
  readonly modelDir?: string;
  /** A callable is called after the seed is set, so that its weights are drawn under the seed. A finished module's aren't. */
  readonly model: Module | (() => Module);
  /** From outputs and the batch to a scalar. Left out: the model's `forward` returns its loss. */
  readonly loss?: Loss;
  /** Computed in validation: by name, or a list of metrics that name themselves. */
  readonly metrics?: Readonly<Record<string, Metric>> | readonly Metric[];
  /** Left out: validation only. */
  readonly optimizer?: Optimizer | ((model: Module) => Optimizer);
  /** Set learning rates and weight decays before each step: one at most for each number of each parameter group. */
  readonly schedulers?: Schedule | readonly Schedule[] | ((optimizer: Optimizer) => Schedule | readonly Schedule[]);
  /** Several in place of `optimizer` and `schedulers`, each with its own of the parameters. */
  readonly optimizers?: readonly OptimizerEntry[];
  readonly precision?: PrecisionOptions;
  readonly loop?: LoopOptions;
  /** null: nothing is saved. */
  readonly checkpoint?: CheckpointOptions | null;
  readonly logging?: LoggingOptions;
  /** A name (`wasm`, `reference` …) or a backend; the default backend if left out. */
  readonly backend?: string | Backend;
  readonly threads?: Threads;
  /** On a backend of class B (0.001): of which share of the kernels that its device runs a tile is computed again on class A, from 0 to 1. Refused on others. */
  readonly audit?: number;
  /** `strict`: what can't promise its bits is refused; `warn`: it is warned of, and the digest is marked. */
  readonly deterministic?: "strict" | "warn";
  /** Trains and validates on so many batches, and writes nothing: a test of everything before the run itself. */
  readonly fastDevRun?: number;
  /** The config that the other options were made from, where it came from YAML: saved with the run, and what `verify` replays. */
  readonly config?: RunConfig;
}

const isFunction = (value: unknown) => typeof value === "function" && !isClass(value);
const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
/** Whether its values are all that it holds: a map's or a set's aren't. */
const isListed = (value: unknown): value is object =>
  isObject(value) && (Array.isArray(value) || !(Symbol.iterator in value));
const custom = <T>(check: (value: unknown) => boolean, error: string) => z.custom<T>(check, { error });

const schedulersType = custom<NonNullable<TrainerSettings["schedulers"]>>(
  (value) => isFunction(value) || (Array.isArray(value) && value.every(isFunction)),
  "a schedule, a list of them, or (optimizer) => either",
).optional();

const shape = {
  ...sharedShape,
  modelDir: textOf("a path").optional(),
  model: custom<TrainerSettings["model"]>(
    (value) => value instanceof Module || isFunction(value),
    "a callable that makes the model: () => nn.sequential(…)",
  ),
  loss: custom<Loss>(isFunction, "a function: losses.crossEntropy").optional(),
  metrics: custom<NonNullable<TrainerSettings["metrics"]>>(
    (value) => isListed(value) && Object.values(value).every((metric) => isFunction((metric as Metric | null)?.terms)),
    "metrics by name, or a list of them: { accuracy: metrics.accuracy() }",
  ).optional(),
  optimizer: custom<NonNullable<TrainerSettings["optimizer"]>>(
    (value) => value instanceof Optimizer || isFunction(value),
    "an optimizer, or (model) => one",
  ).optional(),
  schedulers: schedulersType,
  optimizers: list(
    record({
      optimizer: custom<OptimizerEntry["optimizer"]>(isFunction, "(model) => an optimizer of model.parameters()"),
      parameters: texts,
      frequency: count.optional(),
      minimizes: text.optional(),
      schedulers: schedulersType,
    }),
  )
    .min(1, expected("at least one optimizer"))
    .optional(),
  callbacks: z.array(custom<object>(isObject, "an object with hooks"), { error: "a list of callbacks" }).default([]),
  loggers: z.array(custom<object>(isObject, "an object with hooks"), { error: "a list of loggers" }).default([]),
  backend: custom<string | Backend>(
    (value) => typeof value === "string" || (isObject(value) && isFunction((value as Backend).load)),
    "a backend or its name",
  ).optional(),
  config: custom<RunConfig>(isObject, "a parsed config").optional(),
};

const known = Object.keys(shape).join(", ");
const optionsSchema = z.strictObject(shape, {
  error: (issue) => (issue.code === "unrecognized_keys" ? known : "the Trainer's options"),
});

/** Settings with defaults filled in, and metrics by name. */
export interface ResolvedSettings extends Omit<z.output<typeof optionsSchema>, "metrics" | "callbacks" | "loggers"> {
  readonly metrics: readonly { readonly name: string; readonly metric: Metric }[];
}

/** Checks a Trainer's options. Throws ConfigError with the path of what is wrong. */
export function resolveOptions(options: TrainerSettings & { readonly loggers?: readonly object[] }): ResolvedSettings {
  const { callbacks: _callbacks, loggers, ...resolved } = validate(optionsSchema, options);
  const { modelDir, checkpoint } = resolved;
  checkLoggers(loggers);
  if (modelDir === undefined && options.checkpoint) {
    const hint = 'give modelDir: "runs/…", or checkpoint: null';
    refuse(ConfigError, "checkpoint", "there is no folder to save to", "no modelDir", undefined, hint);
  }
  if (resolved.fastDevRun !== undefined) {
    const { numSteps: _steps, maxSteps: _most, numEpochs: _epochs, ...loop } = resolved.loop;
    const numSteps = resolved.fastDevRun;
    resolved.loop = { ...loop, numSteps, evalFrequency: "end", evalSteps: numSteps };
    return { ...resolved, modelDir: undefined, checkpoint: null, metrics: nameMetrics(resolved.metrics) };
  }
  if (checkpoint?.keepBest) {
    const { keepBest } = checkpoint;
    checkpoint.keepBest = { ...keepBest, metric: monitoredName(keepBest.metric) };
  }
  return {
    ...resolved,
    checkpoint: modelDir === undefined ? null : checkpoint,
    metrics: nameMetrics(resolved.metrics),
  };
}

const isLibrary = (logger: object) => (logger.constructor as Partial<Thing>).options instanceof OptionRecord;

/** A logger of the library's takes no options, so that two of one class would write the same into the same files. */
function checkLoggers(loggers: readonly object[]): void {
  const twice = loggers.find(
    (logger, i) => isLibrary(logger) && loggers.findIndex((other) => other.constructor === logger.constructor) < i,
  );
  if (!twice) return;
  const problem = "the same logger twice";
  refuse(ConfigError, "loggers", problem, twice.constructor.name, "one of each of the library's classes");
}

function nameMetrics(metrics: TrainerSettings["metrics"] = []): ResolvedSettings["metrics"] {
  const named = Array.isArray(metrics)
    ? (metrics as readonly Metric[]).map((metric) => ({ name: metric.name, metric }))
    : Object.entries(metrics as Readonly<Record<string, Metric>>).map(([name, metric]) => ({ name, metric }));
  const names = ["loss", ...named.map(({ name }) => name)];
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return named;
  refuse(ConfigError, "metrics", "two metrics of one name", twice, "a name of its own for each, and none named loss");
}
