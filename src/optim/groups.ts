// Parameter groups by glob: the first that a path matches has it, and what none matches is a group of its own, last.

import { checkArguments, checkKind, kind, signature } from "../core/arguments.ts";
import { ConfigError, didYouMean } from "../core/errors.ts";
import { matches } from "../core/glob.ts";
import { type Given, list, options, recordOf, type Type, texts } from "../core/options.ts";
import type { Parameter } from "../program/variable.ts";
import { parameters as parametersKind } from "./arguments.ts";
import {
  type GroupOptions,
  groupFields,
  type Optimizer,
  type OptimizerOptions,
  type ParameterGroup,
  type ParametersOrGroups,
} from "./optimizer.ts";

const record = options("group", {
  /** A glob or several, as `*.bias` or `blocks.?.*`: `*` stands for any text, dots too. */
  parameters: texts,
  ...groupFields,
});

/** A group by the paths of its parameters. */
export type GlobGroup = Given<typeof record>;

/** A group as a config says it. */
const globGroup: Type<GlobGroup> = recordOf(record);

const call = signature("optim.parameterGroups", {
  parameters: parametersKind,
  groups: kind("a list of groups: { parameters: glob, … }", (value) => Array.isArray(value)),
});

/**
 * Parameters in groups by glob, for an optimizer: `optim.adamW(optim.parameterGroups(model.parameters(), [{ parameters: "*.bias", weightDecay: 0 }]), …)`. Throws ConfigError for a
 * glob that no path matches, or whose parameters all belong to earlier groups.
 */
export function parameterGroups(parameters: readonly Parameter[], groups: readonly GlobGroup[]): GroupOptions[] {
  checkArguments(call, arguments);
  const left = new Map(parameters.map((parameter, i) => [parameter.label ?? String(i), parameter]));
  const paths = [...left.keys()];
  const made = groups.map((group, at): GroupOptions => {
    checkKind(`groups[${at}]`, "it", record, group);
    const { parameters: given, ...numbers } = group;
    const globs = typeof given === "string" ? [given] : given;
    for (const glob of globs) {
      const matching = paths.filter((path) => matches(glob, path));
      if (!matching.some((path) => left.has(path))) throw unmatched(glob, at, matching, paths);
    }
    const taken = [...left].filter(([path]) => globs.some((glob) => matches(glob, path)));
    for (const [path] of taken) left.delete(path);
    return { ...numbers, parameters: taken.map(([, parameter]) => parameter) };
  });
  return [...made, { parameters: [...left.values()] }].filter((group) => group.parameters.length > 0);
}

function unmatched(glob: string, at: number, matching: readonly string[], paths: readonly string[]): ConfigError {
  const where = `groups[${at}].parameters`;
  if (matching.length > 0) {
    return new ConfigError({
      where,
      problem: "all parameters that it matches belong to earlier groups",
      got: glob,
      expected: "a glob with a parameter left",
      hint: "the first group that matches has a parameter: put the narrower glob first",
    });
  }
  return new ConfigError({
    where,
    problem: "no parameter's path matches",
    got: glob,
    expected: `a glob of ${paths.join(", ")}`,
    hint: didYouMean(glob, paths),
  });
}

/** An optimizer of a model's parameters, in groups if a config has some. */
export function optimizerOf(
  make: (parameters: ParametersOrGroups, options: OptimizerOptions) => Optimizer,
  { groups, ...options }: OptimizerOptions & { readonly groups: readonly GlobGroup[] },
  model: { parameters(): readonly Parameter[] },
): Optimizer {
  const parameters = model.parameters();
  return make(groups.length > 0 ? parameterGroups(parameters, groups) : parameters, options);
}

/** What each optimizer takes in a config alone. */
export const groupsFields = {
  /** Parameters with numbers of their own, by glob. */
  groups: list(globGroup).default([]),
} as const;

/** A group's numbers, by name. */
export function groupNumbers(group: ParameterGroup): Record<string, number> {
  return Object.fromEntries(Object.entries(group).filter(([, value]) => typeof value === "number"));
}
