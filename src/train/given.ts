// What a Trainer is given by a program, held to what it must be: programs in JavaScript, and types that were talked out of, get this far.
import { ConfigError, ReproError } from "../core/errors.ts";
import { atOnce } from "../core/promise.ts";
import type { Module } from "../nn/module.ts";
import { Optimizer } from "../optim/optimizer.ts";
import type { Schedule } from "../optim/schedules/index.ts";

/** What a value is, for a message. */
const kindOf = (value: unknown): string =>
  typeof value === "object" && value !== null ? `a ${value.constructor?.name ?? "record"}` : String(value);

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
      problem: "a finished object can't be made again, so the run can't be replayed from its beginning",
      got: value.constructor.name,
      expected: "a callable that makes it",
    });
  }
}

/** The optimizer that a program gives, or makes of the model. Throws ConfigError where it updates what isn't the model's, since that would be in no checkpoint. */
export function makeOptimizer(
  given: Optimizer | ((model: Module) => Optimizer) | undefined,
  model: Module,
): Optimizer | undefined {
  if (given === undefined) return undefined;
  const optimizer = given instanceof Optimizer ? given : (atOnce("optimizer", given(model)) as unknown);
  if (!(optimizer instanceof Optimizer)) {
    throw new ConfigError({
      where: "optimizer",
      problem: "the callable didn't return an optimizer",
      got: kindOf(optimizer),
      expected: "optim.adamW(model.parameters(), { learningRate: 1e-3 })",
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

/** The schedules that a program gives, or makes of the optimizer. Throws ConfigError for what is none, and for schedules without an optimizer. */
export function makeSchedules(given: unknown, optimizer: Optimizer | undefined): readonly Schedule[] {
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
      got: kindOf(value),
      expected: "optim.linearLR({ … }), a list of such, or (optimizer) => either",
    });
  }
  return list as readonly Schedule[];
}
