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

export const call = signature("Trainer", { options: atHand });

/** What each method takes; one of these throws at once. */
const methods = {
  needOptimizer: {},
  variables: {},
  callbackVariables: {},
  backend: {},
  initialize: {},
  trainStep: {},
  evalStep: {},
  runState: {},
  describe: {},
  stop: { reason: string },
  message: { level: oneOf(["debug", "info", "warn", "error"]), text: string },
  logMetrics: { metrics: numbersByName, "step?": count },
  logHistograms: {
    histograms: kind(
      "a record of histograms by name",
      (value) =>
        isRecord(value) &&
        Object.values(value).every((each) => Array.isArray((each as { limits?: unknown } | null)?.limits)),
    ),
    "step?": count,
  },
  logSample: {
    name: string,
    sample: kind("{ text }, or { images } of [count, height, width], with as many labels if any", isSample),
    "step?": count,
  },
  nameScope: { name: string, body: callable },
  predict: { loader, "choice?": choice },
  verify: {
    directory: string,
    "given?": optionsOf<ReplayOptions & { train?: DataLoader; val?: Loaders }>({
      ...replayKinds,
      "train?": loader,
      "val?": loaders,
    }),
  },
} as const;

/** As `methods`, of those that reject. */
const rejecting = {
  fit: {
    train: loader,
    "validation?": loaders,
    "options?": optionsOf<FitOptions>({
      "ckptPath?": path,
      "signal?": kind(
        "an AbortSignal",
        (value) => typeof (value as Partial<AbortSignal> | null)?.addEventListener === "function",
      ),
    }),
  },
  validate: { loaders, "choice?": choice },
  test: { loaders, "choice?": choice },
  evaluate: {
    loaders,
    "how?": optionsOf<EvaluateOptions>({ "steps?": positive, "silent?": boolean, ...weights }),
  },
  validateAll: {
    loaders,
    "ckptPaths?": either(string, strings),
    "options?": optionsOf<WeightsOptions>(weights),
  },
  saveCheckpoint: { "name?": string },
  loadCheckpoint: { path: string },
  explain: { train: loader, "validation?": loader },
  ledger: { train: loader },
} as const;

type Method = (this: unknown, ...given: unknown[]) => unknown;
type Checked = keyof typeof methods | keyof typeof rejecting;

/** Has the methods of a Trainer check what they are called with. */
export function checkCalls(prototype: Record<Checked, (...given: never[]) => unknown>): void {
  for (const [name, parameters] of Object.entries({ ...methods, ...rejecting })) {
    const taken = signature(name, parameters);
    const method = prototype[name as Checked] as Method;
    const checked: Method = function (...given) {
      checkArguments(taken, given);
      return method.apply(this, given);
    };
    const later: Method = async function (...given) {
      return checked.apply(this, given);
    };
    const value = Object.hasOwn(rejecting, name) ? later : checked;
    Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
  }
}
