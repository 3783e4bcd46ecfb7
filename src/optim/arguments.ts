// What optimizers' and schedules' makers are called with: parameters, and options whose kinds follow from their names.
import {
  boolean,
  callable,
  checkArguments,
  checkKind,
  count,
  either,
  isRecord,
  type Kind,
  kind,
  number,
  numbers,
  oneOf,
  type Signature,
  signature,
  string,
  strings,
} from "../core/arguments.ts";
import { Variable } from "../program/variable.ts";
import { tensor, tensors } from "../tensor/arguments.ts";

const pair = kind("two numbers [a, b]", (value) => numbers.accepts(value) && (value as readonly number[]).length === 2);

/** Kinds of an optimizer's options that aren't numbers. */
const optimizerKinds: Readonly<Record<string, Kind>> = {
  adam: strings,
  adamBetas: pair,
  adjust: oneOf(["original", "match_rms_adamw"]),
  amsgrad: boolean,
  betas: pair,
  centered: boolean,
  decayAll: boolean,
  decoupledWeightDecay: boolean,
  epsilons: pair,
  etas: pair,
  maximize: boolean,
  nesterov: boolean,
  parameters: kind("a list of parameters", (value) => Array.isArray(value)),
  relativeStep: boolean,
  scaleParameter: boolean,
  stepSizes: pair,
  tags: either(string, strings),
};

/** Kinds of a schedule's options that aren't numbers, by a form's names. */
const scheduleKinds: Readonly<Record<string, Kind>> = {
  annealStrategy: string,
  coefficient: either(number, callable),
  cycle: boolean,
  lambda: callable,
  metric: string,
  milestones: numbers,
  mode: string,
  paramGroupTags: either(string, strings),
  staircase: boolean,
  threePhase: boolean,
  thresholdMode: string,
  vals: numbers,
};

const ofModule = "give an optimizer parameters: model.parameters()";

const parameter: Kind = kind("a parameter", (value) => value instanceof Variable);

/** Parameters, or groups of them as records. */
const parametersOrGroups: Kind = kind(
  "a list of parameters, or of groups { parameters }",
  (value) =>
    Array.isArray(value) &&
    (Array.from(value).every(parameter.accepts) ||
      Array.from(value).every(
        (group) =>
          isRecord(group) && Array.isArray(group.parameters) && Array.from(group.parameters).every(parameter.accepts),
      )),
  (_, value) => {
    const first = Array.isArray(value) ? value[0] : value;
    if (typeof (first as { parameters?: unknown } | null)?.parameters === "function") return ofModule;
    return Array.isArray(first) ? "these are names with parameters: give model.parameters()" : undefined;
  },
);

export const parameters: Kind = kind(
  "a list of parameters",
  (value) => Array.isArray(value) && Array.from(value).every(parameter.accepts),
);

/** How an optimizer's methods are called. */
export const methodCalls = {
  seek: signature("optimizer.seek", { steps: kind("a number of steps, an integer ≥ 0", count.accepts) }),
  namedVariables: signature("optimizer.namedVariables", {}),
  traceKey: signature("optimizer.traceKey", {}),
  pieces: signature("optimizer.pieces", {}),
  minimize: signature("optimizer.minimize", { loss: tensor }),
  update: signature("optimizer.update", { gradients: tensors, "parameters?": parameters }),
};

const record: Kind = kind("a record of options", isRecord, (_, value) =>
  typeof value === "number" ? `options go by name: { learningRate: ${value} }` : undefined,
);

function checkKinds(
  where: string,
  options: object,
  kinds: Readonly<Record<string, Kind>>,
  nameOf = (key: string) => key,
): void {
  for (const [key, value] of Object.entries(options)) {
    if (value !== undefined)
      checkKind(`${where}.${nameOf(key)}`, "it", Object.hasOwn(kinds, key) ? kinds[key] : number, value);
  }
}

const calls = new Map<string, Signature>();

function callOf(where: string, parameters: Readonly<Record<string, Kind>>): Signature {
  const known = calls.get(where);
  if (known) return known;
  const made = signature(where, parameters);
  calls.set(where, made);
  return made;
}

/** Throws ConfigError unless an optimizer's maker is given parameters and options of the right kinds. Unknown names are `checkKeys`'. */
export function checkOptimizer(where: string, given: ArrayLike<unknown>): void {
  checkArguments(callOf(where, { parameters: parametersOrGroups, options: record }), given);
}

/** Throws ConfigError unless each option is of the kind that its name says. */
export function checkOptimizerOptions(where: string, options: object): void {
  checkKinds(where, options, optimizerKinds);
}

/** Throws ConfigError unless a schedule's maker is given one record. */
export function checkSchedule(where: string, given: ArrayLike<unknown>): void {
  checkArguments(callOf(where, { options: record }), given);
}

/** As `checkOptimizerOptions`, of a schedule's form; `nameOf`: what the author calls an option. */
export function checkScheduleOptions(where: string, options: object, nameOf: (key: string) => string): void {
  checkKinds(where, options, scheduleKinds, nameOf);
}
