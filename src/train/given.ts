// What a Trainer is given by a program, held to what it must be: programs in JavaScript, and calls that bypass the types (`as any`), get this far.
import { isRecord } from "../core/arguments.ts";
import { ConfigError, ReproError, refuse, showValue } from "../core/errors.ts";
import { select } from "../core/glob.ts";
import { atOnce } from "../core/promise.ts";
import { type Batch, Module } from "../nn/module.ts";
import { Optimizer } from "../optim/optimizer.ts";
import { type Schedule, Schedules } from "../optim/schedules/index.ts";
import { type OptimizerPart, OptimizerSet } from "../optim/set.ts";
import { byPaths } from "../program/paths.ts";
import type { Parameter } from "../program/variable.ts";
import { type Stream, withStream } from "../rng/stream.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { OptimizerEntry, ResolvedSettings } from "./config/options.ts";

/** Throws ReproError where a run was made under another seed than the one that a program gives. */
export function checkSeed(given: bigint, ofRun: unknown): void {
  if (ofRun === undefined || ofRun === given) return;
  throw new ReproError({
    where: "verify",
    problem: "the run has another seed than this Trainer",
    got: String(ofRun),
    expected: String(given),
    hint: "make the Trainer with the run's seed",
  });
}

/** Throws ReproError for what a program gives finished: a replay must make it again. */
export function checkMakeable(given: Readonly<Record<string, object | undefined>>): void {
  for (const [where, value] of Object.entries(given)) {
    if (typeof value === "function" || value === undefined) continue;
    throw new ReproError({
      where,
      problem: "pass a function, not an instance: a replay must rebuild it from the beginning",
      got: value.constructor.name,
      expected: "a callable that makes it",
    });
  }
}

/** The model that a program gives, or makes with the stream's draws. Throws ConfigError for what is none. */
export function makeModel(given: Module | (() => Module), stream: Stream): Module {
  const model = given instanceof Module ? given : withStream(stream, () => atOnce("model", given()));
  if (model instanceof Module) return model;
  throw new ConfigError({
    where: "model",
    problem: "the callable didn't return a model",
    got: typeof model,
    expected: "a Module",
  });
}

/** The optimizer that a program gives, or makes of the model. Throws ConfigError where it updates what isn't the model's, since that would be in no checkpoint. */
function makeOptimizer(
  given: Optimizer | ((model: Module) => Optimizer) | undefined,
  model: Module,
): Optimizer | undefined {
  if (given === undefined) return undefined;
  const optimizer = given instanceof Optimizer ? given : (atOnce("optimizer", given(model)) as unknown);
  if (!(optimizer instanceof Optimizer)) {
    throw new ConfigError({
      where: "optimizer",
      problem: "the callable didn't return an optimizer",
      got: showValue(optimizer),
      expected: "optim.adamW(model.parameters(), { learningRate: 1e-3 })",
      hint:
        isRecord(optimizer) || Array.isArray(optimizer)
          ? "several of them are the option optimizers, a list"
          : undefined,
    });
  }
  const own = new Set<unknown>(model.namedVariables().map(([, variable]) => variable));
  const other = optimizer.parameters.findIndex((parameter) => !own.has(parameter));
  if (other < 0) return optimizer;
  throw new ConfigError({
    where: "optimizer",
    problem: "it updates a parameter that isn't the model's",
    got: optimizer.parameterNames[other],
    expected: "parameters of the model that it is called with: (model) => optim.adamW(model.parameters(), …)",
  });
}

/** A model of which an optimizer sees some of the parameters. */
class Part extends Module {
  readonly #whole: Module;
  readonly #parameters: [string, Parameter][];

  constructor(whole: Module, parameters: [string, Parameter][]) {
    super();
    this.#whole = whole;
    this.#parameters = parameters;
  }

  override namedParameters(): [string, Parameter][] {
    return this.#parameters;
  }

  override namedVariables(): ReturnType<Module["namedVariables"]> {
    return this.#parameters.map(([path, parameter]) => [`parameter/${path}`, parameter]);
  }

  override forward(inputs: Tensor, batch?: Batch): ReturnType<Module["forward"]> {
    return this.#whole.forward(inputs, batch);
  }
}

/** The optimizers of a Trainer as one, with the schedules of each. Throws ConfigError for a glob that matches nothing, and for parameters that are in two optimizers or in none. */
function makeSet(entries: readonly OptimizerEntry[], model: Module): { optimizer: Optimizer; schedules: Schedules } {
  const named = model.namedParameters();
  const owners = new Map<string, number>();
  const parts = entries.map(({ optimizer, parameters, frequency = 1, minimizes = "loss" }, i): OptimizerPart => {
    const globs = typeof parameters === "string" ? [parameters] : parameters;
    const own = select(`optimizers[${i}].parameters`, named, globs);
    for (const [path] of own) {
      const other = owners.get(path);
      if (other !== undefined) {
        const both = `optimizers[${other}] and optimizers[${i}]`;
        refuse(ConfigError, "optimizers", `${path}: a parameter of two optimizers`, both, "one");
      }
      owners.set(path, i);
    }
    return { optimizer: makeOptimizer(optimizer, new Part(model, own))!, frequency, minimizes };
  });
  const moved = new Set(parts.flatMap((part) => part.optimizer.parameters));
  const left = named.find(([, parameter]) => parameter.requiresGrad && !moved.has(parameter));
  if (left) {
    const expected = "each trained parameter in one; SelectiveGrad freezes others";
    const problem = `${left[0]}: a parameter of no optimizer`;
    refuse(ConfigError, "optimizers", problem, "globs that leave it out", expected);
  }
  const optimizer = new OptimizerSet(parts);
  const schedules = entries.map(({ schedulers }, i) => makeSchedules(schedulers, parts[i].optimizer));
  const scheduled = schedules.flatMap((list, i) => list.map(() => parts[i].optimizer));
  return { optimizer, schedules: new Schedules(schedules.flat(), optimizer, scheduled) };
}

/** The optimizer of a Trainer, one or several as one, and what sets its rates. Throws ConfigError for what the two makers do, and where both forms are given. */
export function makeTraining(settings: TrainingSettings, model: Module): Training {
  const paths = new Map(model.namedParameters().map(([path, parameter]) => [parameter, path]));
  return byPaths(paths, () => trainingOf(settings, model));
}

type TrainingSettings = Pick<ResolvedSettings, "optimizer" | "optimizers" | "schedulers">;
interface Training {
  readonly optimizer?: Optimizer;
  readonly schedules?: Schedules;
}

function trainingOf({ optimizer: given, optimizers, schedulers }: TrainingSettings, model: Module): Training {
  if (!optimizers) {
    const optimizer = makeOptimizer(given, model);
    const schedules = makeSchedules(schedulers, optimizer);
    return {
      optimizer,
      schedules: optimizer && schedulers !== undefined ? new Schedules(schedules, optimizer) : undefined,
    };
  }
  for (const [where, value] of Object.entries({ optimizer: given, schedulers }))
    if (value !== undefined)
      throw new ConfigError({
        where,
        problem: "optimizers are given too",
        got: `${where} and optimizers`,
        expected: "optimizers alone, each with its schedulers",
      });
  return makeSet(optimizers, model);
}

/** The schedules that a program gives, or makes of the optimizer. Throws ConfigError for what is none, and for schedules without an optimizer. */
function makeSchedules(given: unknown, optimizer: Optimizer | undefined): readonly Schedule[] {
  if (given === undefined) return [];
  const isSchedule = (value: unknown): value is Schedule =>
    typeof value === "function" && (value as Partial<Schedule>).totalIters !== undefined;
  if (!optimizer) {
    if (Array.isArray(given) && given.length === 0) return [];
    throw new ConfigError({ where: "schedulers", problem: "there is no optimizer whose rates they set", got: "none" });
  }
  const made =
    typeof given === "function" && !isSchedule(given)
      ? atOnce("schedulers", (given as (optimizer: Optimizer) => unknown)(optimizer))
      : given;
  const list: readonly unknown[] = Array.isArray(made) ? made : [made];
  for (const value of list) {
    if (isSchedule(value)) continue;
    throw new ConfigError({
      where: "schedulers",
      problem: "not a schedule",
      got: showValue(value),
      expected: "optim.linearLR({ … }), a list of such, or (optimizer) => either",
    });
  }
  return list as readonly Schedule[];
}
