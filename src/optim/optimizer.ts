// Optimizers: from gradients to the next version of parameters and slots, as tensors, so that an update is part of a compiled step. Numbers
// that change from step to step (learning rate, bias corrections) are float64 on the host and enter a step as runtime scalars.
import { compareUtf8 } from "../core/canonical.ts";
import { ConfigError, ShapeError } from "../core/errors.ts";
import { atOneSite } from "../graph/node.ts";
import { zeros } from "../tensor/functions.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { onExecute, runtimeScalar } from "../tensor/trace.ts";
import { type Parameter, type Stateful, Variable } from "../tensor/variable.ts";

/** Parameters with numbers of their own. The numbers are read anew at each execution, so schedulers set them. */
export interface ParameterGroup {
  readonly parameters: readonly Parameter[];
  readonly names: readonly string[];
  learningRate: number;
  weightDecay: number;
}

/** What a user gives for a group: parameters, and numbers that differ from the optimizer's. */
export interface GroupOptions {
  readonly parameters: readonly Parameter[];
  readonly learningRate?: number;
  readonly weightDecay?: number;
}

export interface OptimizerOptions {
  /** Step size, ≥ 0. */
  readonly learningRate: number;
  /** Decay rate; by default on parameters of two axes or more only: not on biases and norms. */
  readonly weightDecay?: number;
  /** Decays every parameter, biases and norms too. */
  readonly decayAll?: boolean;
}

/** One parameter's update in the making. */
export interface Update {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** The parameter's slots by name, before the step. */
  readonly slots: Readonly<Record<string, Tensor>>;
  /** The group's scalars for this step. */
  readonly scalars: Readonly<Record<string, Tensor>>;
  /** Whether the group decays weights: fixed when traced. */
  readonly decays: boolean;
}

/** Base of all optimizers. A subclass names its slots, its host scalars, and the rule. */
export abstract class Optimizer implements Stateful {
  readonly groups: readonly ParameterGroup[];
  /** Steps taken: part of a checkpoint. */
  steps = 0;
  readonly #slots = new Map<Parameter, Record<string, Variable>>();
  readonly #names = new Map<Parameter, string>();

  /** Throws ConfigError on numbers out of range, an empty list, or a parameter given twice. */
  constructor(
    where: string,
    given: readonly Parameter[] | readonly GroupOptions[],
    slots: readonly string[],
    { learningRate, weightDecay = 0, decayAll = false }: OptimizerOptions,
  ) {
    checkRange(where, "learningRate", learningRate);
    checkRange(where, "weightDecay", weightDecay);
    const flat = given.length > 0 && given[0] instanceof Variable;
    const options: readonly GroupOptions[] = flat
      ? [{ parameters: given as readonly Parameter[] }]
      : (given as readonly GroupOptions[]);
    const groups: ParameterGroup[] = [];
    for (const option of options) {
      const rate = option.learningRate ?? learningRate;
      const decay = option.weightDecay ?? weightDecay;
      checkRange(where, "learningRate", rate);
      checkRange(where, "weightDecay", decay);
      const decayed = (parameter: Parameter) => decay > 0 && (decayAll || parameter.rank >= 2);
      for (const side of [true, false]) {
        const parameters = option.parameters.filter((parameter) => decayed(parameter) === side);
        if (parameters.length === 0) continue;
        groups.push({
          parameters,
          names: parameters.map((parameter) => this.#adopt(where, parameter, slots)),
          learningRate: rate,
          weightDecay: side ? decay : 0,
        });
      }
    }
    if (groups.length === 0)
      throw new ConfigError({
        where,
        problem: "nothing to optimise",
        got: "no parameters",
        expected: "model.parameters()",
      });
    this.groups = groups;
  }

  #adopt(where: string, parameter: Parameter, slots: readonly string[]): string {
    if (this.#slots.has(parameter))
      throw new ConfigError({
        where,
        problem: "a parameter is given twice",
        got: this.#names.get(parameter),
        expected: "each parameter once",
      });
    const name = parameter.label ?? String(this.#slots.size);
    this.#names.set(parameter, name);
    this.#slots.set(parameter, Object.fromEntries(slots.map((slot) => [slot, new Variable(zeros(parameter.shape))])));
    return name;
  }

  /** All parameters by their paths' UTF-8 order: the order in which `update` takes gradients. */
  get parameters(): readonly Parameter[] {
    return [...this.#names].sort(([, a], [, b]) => compareUtf8(a, b)).map(([parameter]) => parameter);
  }

  /** The paths of `parameters`, in the same order. */
  get parameterNames(): readonly string[] {
    return [...this.#names.values()].sort(compareUtf8);
  }

  /** Parameters and slots: `parameter/<path>`, `optimizer/<slot>/<path>`. */
  namedVariables(): [string, Variable][] {
    return [...this.#slots].flatMap(([parameter, slots]) => {
      const path = this.#names.get(parameter)!;
      return [
        [`parameter/${path}`, parameter] as [string, Variable],
        ...Object.entries(slots).map(([slot, variable]): [string, Variable] => [`optimizer/${slot}/${path}`, variable]),
      ];
    });
  }

  /** Which groups decay weights: a compiled function is traced anew when one begins or ends to. */
  traceKey(): string {
    return this.groups.map((group) => (group.weightDecay > 0 ? "d" : "-")).join("");
  }

  /** One step: assigns parameters and slots from gradients in the order of `parameters`. In a compiled function this happens at each execution. Throws ShapeError when the gradients aren't the parameters'. */
  update(gradients: readonly Tensor[]): void {
    const { parameters } = this;
    if (gradients.length !== parameters.length) {
      throw new ShapeError({
        where: "update",
        problem: "a gradient for each parameter",
        got: String(gradients.length),
        expected: String(parameters.length),
        hint: "gradients(loss, optimizer.parameters)",
      });
    }
    onExecute(() => this.steps++);
    atOneSite(() => this.#update(gradients));
  }

  #update(gradients: readonly Tensor[]): void {
    const { parameters } = this;
    const gradientOf = new Map(parameters.map((parameter, i) => [parameter, gradients[i]]));
    this.groups.forEach((group, at) => {
      const scalars = Object.fromEntries(
        Object.entries(this.scalars(group)).map(([name, provide]) => [name, runtimeScalar(`${name}/${at}`, provide)]),
      );
      for (const parameter of group.parameters) {
        const slots = this.#slots.get(parameter)!;
        const next = this.rule({
          parameter,
          gradient: gradientOf.get(parameter)!,
          slots,
          scalars,
          decays: group.weightDecay > 0,
        });
        for (const [slot, value] of Object.entries(next.slots)) slots[slot].assign(value);
        parameter.assign(next.parameter);
      }
    });
  }

  /** The group's numbers for the step that `steps` counts already, each rounded to float32 once. */
  protected abstract scalars(group: ParameterGroup): Record<string, () => number>;

  /** The next version of one parameter and its slots. */
  protected abstract rule(update: Update): { parameter: Tensor; slots: Record<string, Tensor> };
}

/** Throws ConfigError unless `low` ≤ value < `high`. */
export function checkRange(where: string, name: string, value: number, low = 0, high = Infinity): void {
  if (typeof value !== "number" || !(value >= low && value < high)) {
    throw new ConfigError({
      where: `${where}.${name}`,
      problem: "a number out of range",
      got: String(value),
      expected: `a number in [${low}, ${high})`,
    });
  }
}
