// What a schedule is: a parameter group's learning rate or weight decay as a closed form of the step, in float64 of the project's own. Step 0 is
// the first optimizer step.
import { checkArguments, listOf, signature } from "../../core/arguments.ts";
import { ConfigError, showValue } from "../../core/errors.ts";
import {
  type Fields,
  type Given,
  type OptionRecord,
  options as optionsOf,
  type Read,
  texts,
} from "../../core/options.ts";
import { named } from "../../core/things.ts";
import {
  type Duration,
  duration,
  firstRelative,
  Resolved,
  type RunLength,
  resolved,
  resolvedDuration,
} from "../duration.ts";
import type { Mode, NumberNames } from "../monitored.ts";
import type { ParameterGroup } from "../optimizer.ts";

/** The number of a parameter group that a schedule sets. */
export type ScheduleKey = "learningRate" | "weightDecay";

/** A value for the optimizer step numbered `step` from 0, for a group where it depends on one. */
export interface Schedule {
  (step: number, group?: Pick<ParameterGroup, "adjustLearningRate">): number;
  /** After so many steps it is through; Infinity: never. */
  readonly totalIters: number;
  /** What it sets: the learning rate unless it says so. */
  readonly key?: ScheduleKey;
  /** The tags of the groups that it sets; none: all groups. */
  readonly paramGroupTags?: readonly string[];
  /** What it was made with, under its name: a run records it. */
  readonly options?: Readonly<Record<string, object>>;
  /** Of one whose steps only a run's length tells (`2ep`, `0.1dur`): it itself, in steps. It has no values before. */
  readonly resolve?: (length: RunLength) => Schedule;
  /** The first resolvedDuration that makes it one. */
  readonly relative?: string;
  /** What a schedule that goes by validated numbers does in a run: a Trainer takes it for a callback. */
  readonly steering?: MetricDriven;
}

/** The callback of a schedule that goes by validation: it changes training, and its state is part of a checkpoint. */
export interface MetricDriven {
  readonly name: string;
  /** The number of a validation that it goes by. */
  readonly metric: string;
  /** Which of its values are better: given, or taken from `aim`. */
  readonly mode: Mode | undefined;
  /** Takes its direction from the numbers of the run's validations. Throws ConfigError where none of them can be its own, or nothing says which values are better. */
  aim(names: NumberNames): void;
  readonly changesTraining: true;
  /** Begins anew, unless the run goes on. */
  onFitStart(context: { readonly trainer: { readonly step: number } }): void;
  onValidateEnd(context: { readonly decides: boolean }, metrics: Readonly<Record<string, number>>): void;
  saveState(): unknown;
  loadState(state: unknown): void;
}

/** Options that every schedule takes. */
export const targetFields = {
  /** Sets only the groups with one of these tags; all groups unless given. */
  paramGroupTags: texts.optional(),
} as const;

export type Targets = Given<{ readonly fields: typeof targetFields }>;

/** A closed form, and after how many steps it is through. */
export interface Form {
  readonly at: (step: number, group?: Pick<ParameterGroup, "adjustLearningRate">) => number;
  readonly totalIters: number;
  readonly steering?: MetricDriven;
}

/** A form as a schedule of one number; `options`: what it was made with, under its name. */
export function schedule(
  key: ScheduleKey,
  { at, totalIters, steering }: Form,
  { paramGroupTags = [] }: Targets,
  options: Schedule["options"],
): Schedule {
  const tags = typeof paramGroupTags === "string" ? [paramGroupTags] : paramGroupTags;
  const value: Form["at"] = (step, group) => at(step, group);
  return Object.assign(value, { totalIters, key, paramGroupTags: tags, options, ...(steering && { steering }) });
}

/** What makes schedules of options in which durations may stand: of such one that is made when a run's length is known. */
export function durable<G extends object>(name: string, key: ScheduleKey, make: (given: G) => Schedule) {
  return (given: G): Schedule => {
    const relative = firstRelative(given);
    if (relative === undefined) return make(given);
    const at = () => {
      throw new ConfigError({
        where: name,
        problem: "its steps aren't known before a run's length is",
        got: relative,
        hint: "a Trainer's fit resolves them; elsewhere schedule.resolve({ stepsPerEpoch, totalSteps })",
      });
    };
    const resolve = (length: RunLength) => make(resolved(given, length));
    const waiting = schedule(key, { at, totalIters: Infinity }, given as Targets, { [name]: given });
    return Object.assign(waiting, { resolve, relative });
  };
}

/** What a closed form's own checks throw: options whose values don't fit each other. Errors name an option as its author writes it. */
export class Check {
  readonly where: string;
  readonly #name: (key: string) => string;

  constructor(where: string, name: (key: string) => string = (key) => key) {
    this.where = where;
    this.#name = name;
  }

  /** Throws ConfigError unless the condition holds. */
  that(holds: boolean, key: string, value: unknown, expected: string, problem = "a number out of range"): void {
    if (holds) return;
    const got = typeof value === "string" ? value : showValue(value);
    throw new ConfigError({ where: `${this.where}.${this.#name(key)}`, problem, got, expected });
  }

  /** Throws ConfigError unless there are so many milestones. */
  milestones(at: readonly number[], count: number): void {
    const expected = `${count} ascending steps, the first at least 1`;
    this.that(at.length === count, "milestones", at, expected, "not milestones");
  }
}

const areAscending = (at: readonly number[]) =>
  at.every((step, i) => Number.isSafeInteger(step) && step > (at[i - 1] ?? 0));

/** Ascending steps from 1 on. */
export const milestones: Resolved<readonly Duration[], readonly number[]> = new Resolved(
  "a list",
  listOf(duration.kind, "a list, of numbers each"),
  { kind: "list", item: duration, least: 0 },
  (value: readonly Duration[]) => {
    const known = value.filter((at) => typeof at === "number");
    if (areAscending(known) && value.every((at) => duration.accepts(at))) return undefined;
    return { problem: "not milestones", value, expected: "ascending steps, the first at least 1" };
  },
);

/** The option of a form that may begin with a warm-up. */
export const warmupFields = {
  /** Steps in which the value first rises from 0 to the first one, in equal steps: of `totalIters`, where that says when the form is through. */
  warmup: resolvedDuration.optional(),
} as const;

/** A form after its warm-up, if it has one. */
function warmed(
  { warmup, ...values }: Readonly<Record<string, unknown>>,
  check: Check,
  make: (values: Readonly<Record<string, unknown>>) => Form,
): Form {
  if (typeof warmup !== "number") return make(values);
  const { totalIters } = values;
  const all = typeof totalIters === "number" ? totalIters : Infinity;
  check.that(warmup < all, "warmup", warmup, `fewer steps than totalIters, ${all}`);
  const form = make({ ...values, ...(all < Infinity && { totalIters: all - warmup }) });
  return {
    at: (step, group) => (step < warmup ? form.at(0, group) * (step / warmup) : form.at(step - warmup, group)),
    totalIters: form.totalIters + warmup,
  };
}

/** A closed form under a decay's names: `initialVal` and the like. */
export interface ClosedForm<S extends Fields> {
  readonly record: OptionRecord<S>;
  readonly make: (options: Read<OptionRecord<S>>, check: Check) => Form;
}

/** A closed form of these options. */
export const closedForm = <const S extends Fields>(
  name: string,
  fields: S,
  make: (options: Read<OptionRecord<S>>, check: Check) => Form,
): ClosedForm<S> => ({ record: optionsOf(name, fields), make });

/** What a form's options are called in a schedule of the learning rate: the names of the Cerebras Model Zoo. */
export const learningRateNames = {
  val: "learningRate",
  vals: "learningRates",
  initialVal: "initialLearningRate",
  endVal: "endLearningRate",
  baseVal: "baseLr",
  maxVal: "maxLr",
  minVal: "minLr",
} as const;
type Names = typeof learningRateNames;
const nameOf = (key: string): string =>
  Object.hasOwn(learningRateNames, key) ? learningRateNames[key as keyof Names] : key;

/** A form's options under the names of a learning rate's. */
type AsLearningRate<S> = { readonly [K in keyof S as K extends keyof Names ? Names[K] : K]: S[K] };
type Maker<S> = (options: Given<{ readonly fields: S & typeof targetFields }>) => Schedule;

function makerOf<S extends Fields>(
  key: ScheduleKey,
  name: string,
  { record, make }: ClosedForm<S>,
  rename: (key: string) => string,
): (given: object) => Schedule {
  const own = Object.keys(record.fields);
  const renamed = Object.fromEntries(own.map((key) => [rename(key), record.fields[key]]));
  const whole = optionsOf(name, { ...renamed, ...targetFields });
  const call = signature(name, { options: whole });
  const makeOf = durable(name, key, (given: object) => {
    const read: Readonly<Record<string, unknown>> = whole.fill(given);
    const { paramGroupTags, ...options } = given as Targets;
    const values = Object.fromEntries(own.map((key) => [key, read[rename(key)]]));
    const check = new Check(name, rename);
    const form = warmed(values, check, (values) => make(values as Read<OptionRecord<S>>, check));
    return schedule(key, form, { paramGroupTags }, { [name]: options });
  });
  return named(whole, function (given: object): Schedule {
    checkArguments(call, arguments);
    return makeOf(given);
  });
}

/** The learning rate's schedule of a form; `name`: another than the form's with LR. */
export const learningRate = <S extends Fields>(
  form: ClosedForm<S>,
  name = `${form.record.name}LR`,
): Maker<AsLearningRate<S>> => makerOf("learningRate", name, form, nameOf);

/** The weight decay's schedule of a form. */
export const weightDecay = <S extends Fields>(form: ClosedForm<S>): Maker<S> =>
  makerOf("weightDecay", `${form.record.name}WD`, form, (key) => key);
