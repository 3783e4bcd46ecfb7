// The families of things that a config may name, one catalog each: what is in a folder's index, and what a program registers.
import { OptionRecord, recordOf } from "../../core/options.ts";
import type { Thing } from "../../core/things.ts";
import type { Dataset } from "../../data/dataset.ts";
import * as datasetIndex from "../../data/datasets.ts";
import { type DataLoader, dataLoader, type LoaderOptions, loaderRecord } from "../../data/loader.ts";
import { partOf, type RandomSplit, randomSplitRecord } from "../../data/split.ts";
import * as transformIndex from "../../data/transforms/index.ts";
import type { RandomTransform } from "../../data/transforms/transform.ts";
import type { Loss } from "../../nn/losses.ts";
import * as lossIndex from "../../nn/losses.ts";
import type { Metric } from "../../nn/metrics.ts";
import * as metricIndex from "../../nn/metrics.ts";
import * as modelIndex from "../../nn/models.ts";
import type { Module } from "../../nn/module.ts";
import { groupsFields, optimizerOf } from "../../optim/groups.ts";
import type { Optimizer } from "../../optim/optimizer.ts";
import * as optimizerIndex from "../../optim/optimizers.ts";
import type { Schedule } from "../../optim/schedules/index.ts";
import * as scheduleIndex from "../../optim/schedules/index.ts";
import * as wrapperIndex from "../../optim/wrappers.ts";
import * as callbackIndex from "../callbacks/index.ts";
import type { Callback, Logger } from "../contract.ts";
import * as loggerIndex from "../loggers/index.ts";
import { Catalog } from "./catalog.ts";

/** What a folder's index has for configs to name, by its exports' names, whatever order a bundler gives them. */
function thingsOf(index: object): (Thing & ((...args: never[]) => unknown))[] {
  return Object.entries(index)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, value]) => ((value as Partial<Thing> | null)?.options instanceof OptionRecord ? [value] : []));
}

/** A catalog from which a config chooses by `Name: {…}`. */
const choices = <T, C = void>(family: string, error: string) => new Catalog<T, C, "class">(family, "class", error);

/** `model: {name: mlp, …}`: each draws its weights from the ambient stream. */
export const models = new Catalog<Module, void, "name">("model", "name", "a map with a name").addThings(
  thingsOf(modelIndex),
);

/** `loss: cross_entropy`, or `loss: {cross_entropy: {label_smoothing: 0.1}}`. */
export const losses = choices<Loss>("loss", "a loss: its name, or a map with one key").addThings(thingsOf(lossIndex));

/** `metrics: [accuracy, {f_beta: {beta: 2}}]`. */
export const metrics = choices<Metric>("metric", "a metric: its name, or a map with one key").addThings(
  thingsOf(metricIndex),
);

/** `optimizer: {AdamW: {learning_rate: 0.001, groups: [{parameters: "*.bias", weight_decay: 0}]}}`: each takes the model whose parameters it updates. */
export const optimizers = choices<Optimizer, Module>("optimizer", "one optimizer: a map with one key")
  .addThings(thingsOf(optimizerIndex), optimizerOf, groupsFields)
  .addThings(thingsOf(wrapperIndex));

/** `schedulers: [{LinearLR: {…}}]`: `…LR` sets learning rates, `…WD` weight decays, with the same options under other names. */
export const schedulers = choices<Schedule>("scheduler", "a scheduler: a map with one key").addThings(
  thingsOf(scheduleIndex),
);

/** `augment: [{random_crop: {padding: 4}}, random_flip]`, of a training loader. */
export const transforms = choices<RandomTransform>(
  "transform",
  "a transform: its name, or a map with one key",
).addThings(thingsOf(transformIndex));

/** What each data loader takes in a config beside its dataset's options. */
export const loaderFields = {
  ...loaderRecord.fields,
  /** One part of a random split of the samples, as `randomSplit` makes it. */
  randomSplit: recordOf(randomSplitRecord).optional(),
} as const;

/** The loader of what makes a dataset of a config's options. */
export function loaderOf(
  build: (options: object) => Dataset,
  { randomSplit: split, ...given }: LoaderOptions & { readonly randomSplit?: RandomSplit },
): DataLoader {
  const [own, loading]: [string, unknown][][] = [[], []];
  for (const entry of Object.entries(given)) (Object.hasOwn(loaderRecord.fields, entry[0]) ? loading : own).push(entry);
  const whole = build(Object.fromEntries(own));
  return dataLoader(split ? partOf(whole, split) : whole, Object.fromEntries(loading) as unknown as LoaderOptions);
}

/** `train_dataloader: {name: mnist, …}`: a dataset's options and a loader's. Its data are read when it is made: throws DataError where they are missing or not what they should be. */
export const loaders = new Catalog<DataLoader, void, "name">(
  "dataloader",
  "name",
  "a data loader: a map with a name",
).addThings(thingsOf(datasetIndex), loaderOf, loaderFields);

/** `callbacks: [CheckLoss: {}]`. */
export const callbacks = choices<Callback>("callback", "a callback: a map with one key").addThings(
  thingsOf(callbackIndex),
);

/** `loggers: [CSVLogger: {}]`. */
export const loggers = choices<Logger>("logger", "a logger: a map with one key").addThings(thingsOf(loggerIndex));

/** What a run from YAML has unless it is switched off with `Name: null`. */
export const defaultChoices: Readonly<Record<string, readonly string[]>> = {
  callbacks: ["CheckLoss"],
  loggers: ["ProgressLogger", "CSVLogger", "JSONLLogger", "ReportLogger"],
};

/** All of them, by what `register` calls each. */
export const families = {
  model: models,
  dataloader: loaders,
  transform: transforms,
  optimizer: optimizers,
  scheduler: schedulers,
  loss: losses,
  metric: metrics,
  callback: callbacks,
  logger: loggers,
} as const;
