// The schedules of a run over the groups of its optimizer: at most one for each group's learning rate, and one for its weight decay.
import {
  anything,
  checkArguments,
  count,
  kind,
  listOf,
  options as optionsOf,
  signature,
  string,
} from "../../core/arguments.ts";
import { ConfigError, didYouMean, showValue, TrainingError } from "../../core/errors.ts";
import { type RunLength, resolved } from "../duration.ts";
import { Optimizer, type ParameterGroup } from "../optimizer.ts";
import type { MetricDriven, Schedule, ScheduleKey } from "./schedule.ts";

interface Setting {
  readonly schedule: Schedule;
  readonly key: ScheduleKey;
  readonly group: ParameterGroup;
}

const call = signature("optim.Schedules", {
  schedules: listOf(
    kind("a schedule", (value) => typeof value === "function" && (value as Partial<Schedule>).totalIters !== undefined),
    "a list of schedules",
  ),
  optimizer: kind("an optimizer", (value) => value instanceof Optimizer),
  "owners?": listOf(
    kind("an optimizer", (value) => value instanceof Optimizer),
    "a list of optimizers",
  ),
});
const resolveCall = signature("schedules.resolve", {
  length: optionsOf<RunLength>({ stepsPerEpoch: count, totalSteps: count }),
});
const applyCall = signature("schedules.apply", { step: count });
const ofCall = signature("schedules.of", {
  group: anything,
  key: string,
});

/** Sets the numbers of an optimizer's groups by step. */
export class Schedules {
  #settings: readonly Setting[];
  readonly #given: readonly Setting[];
  readonly #groups: readonly ParameterGroup[];
  /** As they were given, and in steps once `resolve` was told a run's length. */
  all: readonly Schedule[];
  readonly #schedules: readonly Schedule[];
  /** Callbacks of the schedules that go by validation. */
  readonly steering: readonly MetricDriven[];

  /** `owners`: of several optimizers the one whose groups each schedule sets. Throws ConfigError for two schedules on one number of one group, tags that no group has, and numbers that the optimizer doesn't use. */
  constructor(schedules: readonly Schedule[], optimizer: Optimizer, owners: readonly Optimizer[] = []) {
    checkArguments(call, arguments);
    const settings: Setting[] = [];
    for (const [i, schedule] of schedules.entries()) {
      const { key = "learningRate" } = schedule;
      for (const group of groupsOf(schedule, owners[i] ?? optimizer)) {
        if (settings.some((other) => other.group === group && other.key === key)) {
          throw new ConfigError({
            where: "schedulers",
            problem: `two schedulers set the ${words[key]} of the same parameter group`,
            got: group.names.join(", "),
            expected: "one",
            hint: "one after another is SequentialLR; for different groups give them tags, and the schedulers paramGroupTags",
          });
        }
        settings.push({ schedule, key, group });
      }
    }
    this.#settings = settings;
    this.#given = settings;
    this.#schedules = schedules;
    this.#groups = optimizer.groups;
    this.all = schedules;
    this.steering = [...new Set(schedules.flatMap(({ steering }) => steering ?? []))];
  }

  /** Makes steps of the durations in them: of epochs (`2ep`) and shares of the run (`0.1dur`). Throws ConfigError for options that don't fit each other then. */
  resolve(length: RunLength): void {
    checkArguments(resolveCall, arguments);
    const now = new Map(this.#schedules.map((schedule) => [schedule, resolved(schedule, length)]));
    this.all = [...now.values()];
    this.#settings = this.#given.map((setting) => ({ ...setting, schedule: now.get(setting.schedule)! }));
  }

  /** Sets what the step numbered `step` from 0 uses. Throws TrainingError for a value that isn't a number ≥ 0. */
  apply(step: number): void {
    checkArguments(applyCall, arguments);
    for (const { schedule, key, group } of this.#settings) {
      const value = schedule(step, group);
      if (!(value >= 0 && value < Infinity)) {
        throw new TrainingError({
          where: `schedulers, step ${step + 1}`,
          problem: `a schedule gives no ${words[key]}`,
          got: String(value),
          expected: "a number ≥ 0",
        });
      }
      group[key] = value;
    }
  }

  /** The schedule that sets this number of the group, if one does. */
  of(group: ParameterGroup, key: string): Schedule | undefined {
    checkArguments(ofCall, arguments);
    if (!this.#groups.includes(group))
      throw new ConfigError({
        where: "schedules.of",
        problem: "group isn't one of the optimizer's",
        got: showValue(group),
        expected: "one of optimizer.groups",
      });
    return this.#settings.find((setting) => setting.group === group && setting.key === key)?.schedule;
  }
}

const words: Readonly<Record<ScheduleKey, string>> = { learningRate: "learning rate", weightDecay: "weight decay" };

function groupsOf({ key = "learningRate", paramGroupTags = [] }: Schedule, optimizer: Optimizer): ParameterGroup[] {
  const known = [...new Set(optimizer.groups.flatMap(({ tags }) => tags))];
  for (const tag of paramGroupTags) {
    if (known.includes(tag)) continue;
    throw new ConfigError({
      where: "schedulers.paramGroupTags",
      problem: "no parameter group has the tag",
      got: tag,
      expected: known.length > 0 ? `one of ${known.join(", ")}` : "tags of the optimizer's groups: they have none",
      hint: didYouMean(tag, known),
    });
  }
  if (key === "learningRate" && optimizer.adaptsOwnStepSize) {
    throw new ConfigError({
      where: "schedulers",
      problem:
        "the optimizer's step sizes adapt by themselves: a learning rate sets where they start, and schedules are ignored",
      got: optimizer.constructor.name,
      expected: "no schedulers of the learning rate",
    });
  }
  const tagged = optimizer.groups.filter(
    ({ tags }) => paramGroupTags.length === 0 || tags.some((tag) => paramGroupTags.includes(tag)),
  );
  if (key === "learningRate") return tagged;
  const decaying = tagged.filter(({ decays }) => decays);
  if (decaying.length > 0) return decaying;
  throw new ConfigError({
    where: "schedulers",
    problem: "a scheduler of the weight decay, but no group decays weights",
    got: "weightDecay 0",
    expected: "weightDecay > 0 in the optimizer",
    hint: "any value does: it says that weights decay, and the scheduler says how much",
  });
}
