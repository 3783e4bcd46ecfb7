// What optimizers are called with: parameters, or groups of them, and a record of options.
import {
  callable,
  checkArguments,
  count,
  isRecord,
  type Kind,
  kind,
  options as optionKinds,
  signature,
} from "../core/arguments.ts";
import type { Fields, Given, OptionRecord, Read } from "../core/options.ts";
import { Variable } from "../program/variable.ts";
import { tensor, tensors } from "../tensor/arguments.ts";
import type { Objective } from "./objective.ts";

const ofModule = "give an optimizer parameters: model.parameters()";

const parameter: Kind = kind("a parameter", (value) => value instanceof Variable);
const areParameters = (value: unknown) => Array.isArray(value) && Array.from(value).every(parameter.accepts);

export const parameters: Kind = kind("a list of parameters", areParameters);

/** Parameters, or groups of them as records. */
const parametersOrGroups: Kind = kind(
  "a list of parameters, or of groups { parameters }",
  (value) =>
    areParameters(value) ||
    (Array.isArray(value) && Array.from(value).every((group) => isRecord(group) && areParameters(group.parameters))),
  (_, value) => {
    const first = Array.isArray(value) ? value[0] : value;
    if (typeof (first as { parameters?: unknown } | null)?.parameters === "function") return ofModule;
    return Array.isArray(first) ? "these are names with parameters: give model.parameters()" : undefined;
  },
);

/** How an optimizer's methods are called. */
export const methodCalls = {
  seek: signature("optimizer.seek", { steps: kind("a number of steps, an integer ≥ 0", count.accepts) }),
  minimize: signature("optimizer.minimize", {
    loss: kind("a scalar, or a function that gives it", (value) => tensor.accepts(value) || callable.accepts(value)),
  }),
  update: signature("optimizer.update", {
    gradients: tensors,
    "parameters?": parameters,
    "objective?": optionKinds<Objective>({ value: tensor, again: callable }),
  }),
};

/** An optimizer's options with their defaults; `given`: its parameters and these. Throws ConfigError. */
export function readOptions<S extends Fields>(
  where: string,
  record: OptionRecord<S>,
  options: Given<OptionRecord<S>>,
  given: ArrayLike<unknown>,
): Read<OptionRecord<S>> {
  const named: Kind = {
    expected: "a record of options",
    accepts: (value) => record.accepts(value),
    explain: (at, value) => (value === undefined ? "it needs { learningRate }" : record.explain(at, value)),
  };
  checkArguments(signature(where, { parameters: parametersOrGroups, options: named }), given);
  return record.fill(options);
}
