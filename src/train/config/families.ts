// The families of things that a config may name, one catalog each: what is in a folder's index, and what a program registers.
import { list, options } from "../../core/options.ts";
import { thingsOf } from "../../core/things.ts";
import type { Loss } from "../../nn/losses.ts";
import * as lossIndex from "../../nn/losses.ts";
import type { Metric } from "../../nn/metrics.ts";
import * as metricIndex from "../../nn/metrics.ts";
import type { Module } from "../../nn/module.ts";
import { type GlobGroup, globGroup, parameterGroups } from "../../optim/groups.ts";
import type { Optimizer, OptimizerOptions, ParametersOrGroups } from "../../optim/optimizer.ts";
import * as optimizerIndex from "../../optim/optimizers.ts";
import type { Schedule } from "../../optim/schedules/index.ts";
import * as scheduleIndex from "../../optim/schedules/index.ts";
import { Catalog, shapeOf } from "./catalog.ts";

/** What each optimizer takes in a config alone. */
const groupsOption = options("optimizer", { groups: list(globGroup).default([]) });

type MakeOptimizer = (parameters: ParametersOrGroups, options: OptimizerOptions) => Optimizer;
type OptimizerChoice = OptimizerOptions & { readonly groups: readonly GlobGroup[] };

/** `optimizer: {AdamW: {learning_rate: 0.001, groups: [{parameters: "*.bias", weight_decay: 0}]}}`: each takes the model whose parameters it updates. */
export const optimizers = new Catalog<Optimizer, Module, "class">(
  "optimizer",
  "class",
  "one optimizer: a map with one key",
).addThings(
  thingsOf(optimizerIndex),
  (make: MakeOptimizer, { groups, ...options }: OptimizerChoice, model) => {
    const parameters = model.parameters();
    return make(groups.length > 0 ? parameterGroups(parameters, groups) : parameters, options);
  },
  shapeOf(groupsOption),
);

/** How a thing is made whose only argument is its options. */
const withOptions = <T>(make: (options: object) => T, options: object): T => make(options);

/** `schedulers: [{LinearLR: {…}}]`: `…LR` sets learning rates, `…WD` weight decays, with the same options under other names. */
export const schedulers = new Catalog<Schedule, void, "class">(
  "scheduler",
  "class",
  "a scheduler: a map with one key",
).addThings(thingsOf(scheduleIndex), withOptions<Schedule>);

/** `loss: cross_entropy`, or `loss: {cross_entropy: {label_smoothing: 0.1}}`. */
export const losses = new Catalog<Loss, void, "class">(
  "loss",
  "class",
  "a loss: its name, or a map with one key",
).addThings(thingsOf(lossIndex), withOptions<Loss>);

/** `metrics: [accuracy, {f_beta: {beta: 2}}]`. */
export const metrics = new Catalog<Metric, void, "class">(
  "metric",
  "class",
  "a metric: its name, or a map with one key",
).addThings(thingsOf(metricIndex), withOptions<Metric>);
