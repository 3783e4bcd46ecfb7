// What a Trainer's methods are called with.

import { backendKind, threadsKind } from "../backend/load.ts";
import {
  boolean,
  callable,
  checkArguments,
  count,
  either,
  isRecord,
  type Kind,
  kind,
  listOf,
  number,
  oneOf,
  options as optionsOf,
  signature,
  string,
  strings,
} from "../core/arguments.ts";
import type { DataLoader } from "../data/loader.ts";
import { isSample } from "../report/samples.ts";
import type { ReplayOptions } from "./replay.ts";
import type { ChosenWeights, EvaluateOptions, FitOptions, Loaders, WeightsOptions } from "./run.ts";

const loader: Kind = kind(
  "a data loader",
  (value) => typeof (value as Partial<DataLoader> | null)?.batches === "function",
  () => "data.dataLoader(dataset, { batchSize }) makes one",
);
const loaders = either(loader, listOf(loader, "a list of them"));
const path = kind("a path, best, last, or null", (value) => typeof value === "string" || value === null);
const weights = { "weights?": oneOf(["raw", "average"]) } as const;
const choice = optionsOf<ChosenWeights>({ "ckptPath?": path, ...weights });
const positive = kind("an integer ≥ 1", (value) => Number.isSafeInteger(value) && (value as number) >= 1);
const isPromise = (value: unknown) => value instanceof Promise;
/** The schema looks at the rest; to it a promise is a record without keys. */
const atHand = kind(
  "the Trainer's options, without promises",
  (value) => !isPromise(value) && !Object.values(value ?? {}).some(isPromise),
  () => "await what makes it first",
);
const numbersByName = kind(
  "a record of numbers by name",
  (value) => isRecord(value) && Object.values(value).every((each) => typeof each === "number"),
);
/** Kinds of what a replay takes. */
export const replayKinds = {
  "backend?": backendKind,
  "threads?": threadsKind,
  "from?": number,
  "steps?": number,
  "against?": string,
} as const;

/** Methods without arguments: that none is given is checked around them. */
const none = [
  "needOptimizer",
  "variables",
  "callbackVariables",
  "backend",
  "initialize",
  "trainStep",
  "evalStep",
  "runState",
  "describe",
] as const;

export function takesNothing(prototype: Record<(typeof none)[number], () => unknown>): void {
  for (const name of none) {
    const call = signature(name, {});
    const method = prototype[name];
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value(this: unknown, ...given: readonly unknown[]) {
        checkArguments(call, given);
        return method.call(this);
      },
    });
  }
}

export const calls = {
  Trainer: signature("Trainer", { options: atHand }),
  stop: signature("stop", { reason: string }),
  message: signature("message", { level: oneOf(["debug", "info", "warn", "error"]), text: string }),
  logMetrics: signature("logMetrics", { metrics: numbersByName, "step?": count }),
  logHistograms: signature("logHistograms", {
    histograms: kind(
      "a record of histograms by name",
      (value) =>
        isRecord(value) &&
        Object.values(value).every((each) => Array.isArray((each as { limits?: unknown } | null)?.limits)),
    ),
    "step?": count,
  }),
  logSample: signature("logSample", {
    name: string,
    sample: kind("{ text }, or { images } of [count, height, width], with as many labels if any", isSample),
    "step?": count,
  }),
  nameScope: signature("nameScope", { name: string, body: callable }),
  fit: signature("fit", {
    train: loader,
    "validation?": loaders,
    "options?": optionsOf<FitOptions>({
      "ckptPath?": path,
      "signal?": kind(
        "an AbortSignal",
        (value) => typeof (value as Partial<AbortSignal> | null)?.addEventListener === "function",
      ),
    }),
  }),
  validate: signature("validate", { loaders, "choice?": choice }),
  test: signature("test", { loaders, "choice?": choice }),
  evaluate: signature("evaluate", {
    loaders,
    "how?": optionsOf<EvaluateOptions>({ "steps?": positive, "silent?": boolean, ...weights }),
  }),
  validateAll: signature("validateAll", {
    loaders,
    "ckptPaths?": either(string, strings),
    "options?": optionsOf<WeightsOptions>(weights),
  }),
  predict: signature("predict", { loader, "choice?": choice }),
  saveCheckpoint: signature("saveCheckpoint", { "name?": string }),
  loadCheckpoint: signature("loadCheckpoint", { path: string }),
  verify: signature("verify", {
    directory: string,
    "given?": optionsOf<ReplayOptions & { train?: DataLoader; val?: Loaders }>({
      ...replayKinds,
      "train?": loader,
      "val?": loaders,
    }),
  }),
  explain: signature("explain", { train: loader, "validation?": loader }),
  ledger: signature("ledger", { train: loader }),
};
