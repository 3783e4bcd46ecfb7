// Optimizers: from gradients to the next version of parameters and slots, as tensors, so that an update is part of a compiled step. Numbers
// that change from step to step (learning rate, bias corrections) are float64 on the host and enter a step as runtime scalars.
import {
  anything,
  checkArguments,
  checkKind,
  checkNone,
  isRecord,
  kind,
  signature,
  string,
} from "../core/arguments.ts";
import { ConfigError, refuse } from "../core/errors.ts";
import { code, flag, type Given, nonNegative, OptionRecord, options, texts } from "../core/options.ts";
import { atOnce } from "../core/promise.ts";
import { compareUtf8 } from "../core/utf8.ts";
import { atSite, makerSite } from "../graph/site.ts";
import { gradients as gradientsOf } from "../program/gradients.ts";
import { pathOf } from "../program/paths.ts";
import { onExecute, runtimeScalar } from "../program/trace.ts";
import { type Parameter, rehearsing, repeatable, type Stateful, Variable } from "../program/variable.ts";
import { zeros } from "../tensor/creation.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { methodCalls as calls, parameters as parametersKind, readOptions } from "./arguments.ts";
import { fixedBut, fixInstances } from "./fixed.ts";
import type { Evaluated, Objective, Passes } from "./objective.ts";
import { gradientsByParameter } from "./whose.ts";

/** Parameters with numbers of their own. The numbers are read anew at each execution, so schedulers set them. */
export interface ParameterGroup {
  readonly parameters: readonly Parameter[];
  readonly names: readonly string[];
  /** What schedulers may call it. */
  readonly tags: readonly string[];
  /** Whether the step decays its weights, even where the decay is 0 for a while: fixed, so that a schedule changes no graph. */
  readonly decays: boolean;
  /** What a scheduler that scales by group multiplies the learning rate by; 1 where it isn't given. */
  readonly adjustLearningRate?: number;
  learningRate: number;
  weightDecay: number;
}

/** Options that every optimizer takes. */
export const optimizerFields = {
  /** Step size, ≥ 0. */
  learningRate: nonNegative,
  /** Decay rate; by default on parameters of two axes or more only: not on biases and norms. */
  weightDecay: nonNegative.default(0),
  /** Decays every parameter, biases and norms too. */
  decayAll: flag.default(false),
  /** Climbs the objective: the gradient's sign is flipped first. */
  maximize: flag.default(false),
} as const;

export type OptimizerOptions = Given<{ readonly fields: typeof optimizerFields }>;

/** What a group may have of its own. */
export const groupFields = {
  /** Step size of the group, in place of the optimizer's. */
  learningRate: nonNegative.optional(),
  /** Decay rate of the group, in place of the optimizer's. */
  weightDecay: nonNegative.optional(),
  /** Decays every parameter of the group, biases and norms too. */
  decayAll: flag.optional(),
  /** Names for schedulers to choose it by. */
  tags: texts.optional(),
  /** The factor that `scalePerParamLR` applies, ≥ 0. */
  adjustLearningRate: nonNegative.optional(),
} as const;

const groupRecord = options("ParameterGroup", {
  /** The parameters of the group. */
  parameters: code<readonly Parameter[]>(parametersKind),
  ...groupFields,
});

/** What a user gives for a group: parameters, and numbers that differ from the optimizer's. */
export type GroupOptions = Given<typeof groupRecord>;

/** What a subclass tells its base. */
export interface Rules {
  /** Its state: a name and first value for each slot of a parameter. */
  readonly slots: (parameter: Parameter) => Readonly<Record<string, Tensor>>;
  /** `l2` (unless given): g ← g + decay·p. `decoupled`: p ← p·(1 − rate·decay). `own`: the rule does it. */
  readonly decay?: "l2" | "decoupled" | "own";
  /** Whether the learning rate only says where it starts. */
  readonly adaptsOwnStepSize?: boolean;
}

const slotsCall = signature("optim.zeroSlots", { "...names": string });

/** Slots of the parameter's shape that start as zeros. */
export function zeroSlots(...names: readonly string[]): Rules["slots"] {
  checkArguments(slotsCall, names);
  return (parameter) => Object.fromEntries(names.map((name) => [name, zeros(parameter.shape)]));
}

/** What an optimizer is made over: a model's parameters, or groups of them. */
export type ParametersOrGroups = readonly Parameter[] | readonly GroupOptions[];

/** A rule's result. */
export interface Updated {
  readonly parameter: Tensor;
  readonly slots: Readonly<Record<string, Tensor>>;
}

/** One parameter's update in the making. */
export interface Update {
  /** The parameter, after decoupled decay. */
  readonly parameter: Tensor;
  /** Its gradient, after L2 decay. */
  readonly gradient: Tensor;
  /** The cell: its label and shape. */
  readonly cell: Parameter;
  /** The parameter's slots by name, before the step. */
  readonly slots: Readonly<Record<string, Tensor>>;
  /** The group's scalars for this step. */
  readonly scalars: Readonly<Record<string, Tensor>>;
  /** Whether the group decays weights. */
  readonly decays: boolean;
}

const base = new OptionRecord("optim.Optimizer", optimizerFields);
const baseCall = signature("optim.Optimizer", {
  where: string,
  given: anything,
  rules: kind("a record of rules: { slots }", (value) => isRecord(value) && typeof value.slots === "function"),
  options: kind("a record of options", isRecord),
});

/**
 * Base of all optimizers. A subclass names its slots, its host scalars, and the rule. What it is made with is fixed; of what its groups hold, learning rate and weight decay
 * may be set. A subclass keeps its options in #private or declared fields; a declared one that changes has a compiled function traced anew.
 */
export abstract class Optimizer<O extends OptimizerOptions = OptimizerOptions> implements Stateful {
  readonly #groups: readonly ParameterGroup[];
  readonly #parameters: readonly Parameter[];
  #steps = 0;
  readonly #where: string;
  /** Where it was made: that is what its nodes tell of. */
  readonly #site = makerSite();
  readonly #rules: Rules;
  readonly #options: O;
  readonly #maximize: boolean;
  readonly #slots = new Map<Parameter, Record<string, Variable>>();
  readonly #names = new Map<Parameter, string>();
  /** A step that failed isn't counted. */
  readonly #takeBack = () => {
    this.#steps--;
  };

  /** Parameters whose `requiresGrad` is false are left out. Throws ConfigError on numbers out of range, an empty list, or a parameter given twice. */
  constructor(where: string, given: ParametersOrGroups, rules: Rules, options: O) {
    checkArguments(baseCall, arguments);
    const own = Object.fromEntries(
      Object.keys(optimizerFields).map((key) => [key, options[key as keyof OptimizerOptions]]),
    ) as unknown as OptimizerOptions;
    const { learningRate, weightDecay, decayAll, maximize } = readOptions(where, base, own, [given, own]);
    this.#where = where;
    this.#rules = rules;
    this.#options = options;
    this.#maximize = maximize;
    const flat = given.length > 0 && given[0] instanceof Variable;
    const list: readonly GroupOptions[] = flat
      ? [{ parameters: given as readonly Parameter[] }]
      : (given as readonly GroupOptions[]);
    const groups: ParameterGroup[] = [];
    for (const [at, option] of list.entries()) {
      checkKind(`${where}.groups[${at}]`, "it", groupRecord, option);
      const rate = option.learningRate ?? learningRate;
      const decay = option.weightDecay ?? weightDecay;
      const { tags = [], adjustLearningRate, decayAll: every = decayAll } = option;
      const decayed = (parameter: Parameter) => decay > 0 && (every || parameter.rank >= 2);
      for (const decays of [true, false]) {
        const parameters = option.parameters.filter(
          (parameter) => isTrained(parameter) && decayed(parameter) === decays,
        );
        if (parameters.length === 0) continue;
        const group: ParameterGroup = {
          parameters: Object.freeze(parameters),
          names: Object.freeze(parameters.map((parameter) => this.#adopt(where, parameter))),
          tags: Object.freeze(typeof tags === "string" ? [tags] : [...tags]),
          decays,
          ...(adjustLearningRate !== undefined && { adjustLearningRate }),
          learningRate: rate,
          weightDecay: decays ? decay : 0,
        };
        const place = `${where}.groups[${groups.length}]`;
        const check = (field: string, value: number) => nonNegative.check(`${place}.${field}`, value);
        groups.push(fixedBut(place, group, ["learningRate", "weightDecay"], check));
      }
    }
    if (groups.length === 0) refuse(ConfigError, where, "nothing to optimise", "no parameters", "model.parameters()");
    this.#groups = Object.freeze(groups);
    this.#parameters = Object.freeze(list.flatMap((option) => option.parameters.filter(isTrained)));
  }

  static {
    fixInstances(Optimizer.prototype, (instance) => (#where in instance ? instance.#where : "optimizer"));
  }

  /** What it was made with. */
  protected get options(): O {
    return this.#options;
  }

  get groups(): readonly ParameterGroup[] {
    return this.#groups;
  }

  /** All parameters but those that were frozen since, in the order in which they were given: the order of `gradients(loss, optimizer.parameters)`. */
  get parameters(): readonly Parameter[] {
    return this.#parameters.every(isTrained) ? this.#parameters : this.#parameters.filter(isTrained);
  }

  #adopt(where: string, parameter: Parameter): string {
    if (this.#slots.has(parameter))
      refuse(ConfigError, where, "a parameter is given twice", this.#names.get(parameter), "each parameter once");
    const label = pathOf(parameter) ?? parameter.label ?? String(this.#slots.size);
    // Models that weren't made one have parameters of the same path.
    const taken = new Set(this.#names.values());
    let name = label;
    for (let i = 2; taken.has(name); i++) name = `${label}.${i}`;
    this.#names.set(parameter, name);
    const slots = Object.entries(this.#rules.slots(parameter));
    this.#slots.set(parameter, Object.fromEntries(slots.map(([slot, first]) => [slot, new Variable(first)])));
    return name;
  }

  /** Whether step sizes adapt by themselves and the learning rate only sets where they start: schedules are ignored. */
  get adaptsOwnStepSize(): boolean {
    return this.#rules.adaptsOwnStepSize ?? false;
  }

  /** Whether it climbs what it is given. */
  get maximizes(): boolean {
    return this.#maximize;
  }

  /** What a step evaluates; for what isn't `once` `update` is given an objective. */
  get passes(): Passes {
    return "once";
  }

  /** The paths of `parameters`, in the same order. */
  get parameterNames(): readonly string[] {
    return this.parameters.map((parameter) => this.#names.get(parameter)!);
  }

  /** Paths and parameters by the paths' UTF-8 order: what a Trainer adds norms up in. */
  get namedParameters(): readonly (readonly [string, Parameter])[] {
    return [...this.#names]
      .filter(([parameter]) => isTrained(parameter))
      .map(([parameter, name]) => [name, parameter] as const)
      .sort(([a], [b]) => compareUtf8(a, b));
  }

  /** Steps taken: part of a checkpoint. `update` counts them; `seek` goes to a saved number of them. */
  get steps(): number {
    return this.#steps;
  }

  /** Goes to a saved number of steps. Throws ConfigError unless it is a count. */
  seek(steps: number): void {
    checkArguments(calls.seek, arguments);
    this.#steps = steps;
  }

  /** Parameters and slots: `parameter/<path>`, `optimizer/<slot>/<path>`; in the state of a compiled function by the paths of a model that is listed before. */
  namedVariables(): [string, Variable][] {
    checkNone("optimizer.namedVariables", arguments);
    return [...this.#slots].flatMap(([parameter, slots]) => {
      const path = pathOf(parameter) ?? this.#names.get(parameter)!;
      return [
        [`parameter/${path}`, parameter] as [string, Variable],
        ...Object.entries(slots).map(([slot, variable]): [string, Variable] => [`optimizer/${slot}/${path}`, variable]),
      ];
    });
  }

  /** Which groups decay weights, and which parameters are frozen: a compiled function is traced anew when that changes. */
  traceKey(): string {
    checkNone("optimizer.traceKey", arguments);
    const decays = this.groups.map((group) => (decaying(group) ? "d" : "-")).join("");
    const frozen = this.#parameters.flatMap((parameter, i) => (isTrained(parameter) ? [] : [i]));
    return frozen.length > 0 ? `${decays}, frozen ${frozen}` : decays;
  }

  /** Parameters and slots stay the same ones; whether groups decay and parameters are frozen is what may change, and the fields that a subclass declares. */
  pieces(): readonly unknown[] {
    checkNone("optimizer.pieces", arguments);
    return [...this.groups.map(decaying), ...this.#parameters.map(isTrained), ...Object.entries(this).flat()];
  }

  /**
   * One step down (or up) from a scalar: its gradients by all parameters, then `update`. In a compiled function this happens at each execution. Of a function that gives the scalar: gives its value
   * at the parameters as they were; an optimizer that evaluates it elsewhere too calls it more than once. Throws GradError.
   */
  minimize(loss: Tensor): void;
  minimize(loss: () => Tensor): Tensor;
  minimize(loss: Tensor | (() => Tensor)): Tensor | undefined {
    checkArguments(calls.minimize, arguments);
    const { parameters } = this;
    if (typeof loss !== "function") {
      this.update(gradientsOf(loss, parameters));
      return undefined;
    }
    const evaluated = (value: Tensor): Evaluated => ({ value, gradients: gradientsOf(value, parameters) });
    const pass = () => evaluated(atOnce("minimize", loss()));
    const { result, again } = repeatable(pass);
    const { value, gradients } = result;
    this.update(gradients, parameters, { value, again: (draws) => (draws === "same" ? again() : rehearsing(pass)) });
    return value;
  }

  /**
   * One step: assigns parameters and slots. Gradients know what they are of, in any order; those that don't, since something was made of them, are of `parameters` in
   * order, the optimizer's own unless given. `objective`: what was differentiated, for an optimizer that evaluates it elsewhere too. In a compiled function this happens at
   * each execution. Throws ShapeError where a parameter has no gradient, or two, or one that is another's.
   */
  update(
    gradients: readonly Tensor[],
    parameters: readonly Parameter[] = this.parameters,
    _objective?: Objective,
  ): void {
    checkArguments(calls.update, arguments);
    const byParameter = gradientsByParameter(this, gradients, parameters);
    onExecute(() => {
      this.#steps++;
      return this.#takeBack;
    });
    atSite(this.#site.with({ role: this.#where }), () => this.#update(byParameter));
  }

  #update(byParameter: ReadonlyMap<Parameter, Tensor>): void {
    const updates = this.#updates(byParameter);
    // One after another, unless a rule looks at all of them first.
    const whole = this.prepare && [...updates];
    this.prepare?.(whole!.map(({ update }) => update));
    for (const { update, slots, site } of whole ?? updates) {
      const next = atSite(site, () => this.rule(update));
      for (const [slot, value] of Object.entries(next.slots)) slots[slot].assign(value);
      update.cell.assign(next.parameter);
    }
  }

  *#updates(byParameter: ReadonlyMap<Parameter, Tensor>) {
    for (const [at, group] of this.groups.entries()) {
      const decays = decaying(group);
      const provided = { ...this.scalars(group), ...(decays && { weightDecay: () => this.#decay(group) }) };
      const scalars = Object.fromEntries(
        Object.entries(provided).map(([name, provide]) => [name, runtimeScalar(`${name}/${at}`, provide)]),
      );
      for (const cell of group.parameters.filter(isTrained)) {
        const [slots, gradient] = [this.#slots.get(cell)!, byParameter.get(cell)!];
        const site = this.#site.with({ role: `${this.#where} update of ${this.#names.get(cell)}` });
        const update = atSite(site, (): Update => {
          const raw = { parameter: cell, cell, gradient: this.#maximize ? gradient.neg() : gradient };
          return { ...this.#decayed(raw, decays, scalars), slots, scalars, decays };
        });
        yield { update, slots, site };
      }
    }
  }

  #decay({ learningRate, weightDecay }: ParameterGroup): number {
    return this.#rules.decay === "decoupled" ? 1 - learningRate * weightDecay : weightDecay;
  }

  #decayed<U extends Pick<Update, "parameter" | "gradient">>(
    update: U,
    decays: boolean,
    { weightDecay }: Update["scalars"],
  ): U {
    const { decay = "l2" } = this.#rules;
    if (!decays || decay === "own") return update;
    if (decay === "decoupled") return { ...update, parameter: update.parameter.mul(weightDecay) };
    return { ...update, gradient: update.gradient.add(update.parameter.mul(weightDecay)) };
  }

  /** The group's numbers for the step that `steps` counts already, each rounded to float32 once: the learning rate, unless a rule has others; `weightDecay` is added where the group decays. */
  protected scalars(group: ParameterGroup): Record<string, () => number> {
    return { learningRate: () => group.learningRate };
  }

  /** What is computed of all parameters together, before the rule of each; most have none. */
  protected prepare?(updates: readonly Update[]): void;

  /** The next version of one parameter and its slots. */
  protected abstract rule(update: Update): Updated;
}

const isTrained = ({ requiresGrad }: Parameter): boolean => requiresGrad;

/** Whether a group's step decays weights. */
export const decaying = ({ decays, weightDecay }: ParameterGroup): boolean => decays || weightDecay > 0;
