// What a schedule is: a parameter group's learning rate or weight decay as a closed form of the step, in float64 of the project's own. Step 0 is
// the first optimizer step.
import { checkKind, numbers } from "../../core/arguments.ts";
import { ConfigError, showValue } from "../../core/errors.ts";
import { checkKeys, type Every } from "../../core/keys.ts";
import { checkScheduleOptions } from "../arguments.ts";
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
  /** What a schedule that goes by validated numbers does in a run: a Trainer takes it for a callback. */
  readonly steering?: Steering;
}

/** The callback of a schedule that goes by validation: it changes training, and its state is part of a checkpoint. */
export interface Steering {
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
export interface Targets {
  /** Sets only the groups with one of these tags; all groups unless given. */
  readonly paramGroupTags?: string | readonly string[];
}

/** A closed form, and after how many steps it is through. */
export interface Form {
  readonly at: (step: number, group?: Pick<ParameterGroup, "adjustLearningRate">) => number;
  readonly totalIters: number;
  readonly steering?: Steering;
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

/** Checks a schedule's options; errors name an option as its author writes it. */
export class Check {
  readonly where: string;
  readonly #name: (key: string) => string;

  constructor(where: string, name: (key: string) => string = (key) => key) {
    this.where = where;
    this.#name = name;
  }

  /** Throws ConfigError where a form's options have a key that isn't `known`, or `paramGroupTags`; a list that misses a key of theirs doesn't compile. */
  keys<O extends object, const K extends readonly (keyof O & string)[]>(options: O, known: K & Every<O, K>): void {
    const names = [...known.map(this.#name), "paramGroupTags"];
    checkKeys(this.where, Object.fromEntries(Object.keys(options).map((key) => [this.#name(key), true])), names);
    checkScheduleOptions(this.where, options, this.#name);
  }

  /** Throws ConfigError unless they are a tag or a list of tags. */
  tags(paramGroupTags: unknown): void {
    checkScheduleOptions(this.where, { paramGroupTags }, this.#name);
  }

  /** Throws ConfigError unless the condition holds. */
  that(holds: boolean, key: string, value: unknown, expected: string, problem = "a number out of range"): void {
    if (holds) return;
    throw new ConfigError({
      where: `${this.where}.${this.#name(key)}`,
      problem,
      got: typeof value === "string" ? value : showValue(value),
      expected,
    });
  }

  /** Finite and ≥ 0: a learning rate, a decay. */
  value(key: string, value: number): void {
    this.that(typeof value === "number" && value >= 0 && value < Infinity, key, value, "a number ≥ 0");
  }

  positive(key: string, value: number): void {
    this.that(typeof value === "number" && value > 0 && value < Infinity, key, value, "a number > 0");
  }

  /** A number of steps. */
  count(key: string, value: number): void {
    this.that(Number.isSafeInteger(value) && value >= 1, key, value, "an integer ≥ 1", "not a number of steps");
  }

  /** Throws ConfigError unless it is a list of numbers. */
  list(key: string, values: readonly number[]): void {
    checkKind(`${this.where}.${this.#name(key)}`, "it", numbers, values);
  }

  /** Ascending steps from 1 on; `count` of them where given. */
  milestones(key: string, steps: readonly number[], count?: number): void {
    this.list(key, steps);
    const ascending = steps.every((at, i) => Number.isSafeInteger(at) && at > (steps[i - 1] ?? 0));
    const expected = `${count ?? steps.length} ascending steps, the first at least 1`;
    this.that(
      ascending && steps.length === (count ?? steps.length),
      key,
      `[${steps.join(", ")}]`,
      expected,
      "not milestones",
    );
  }
}
