// Schedules made of schedules.

import { kind } from "../../core/arguments.ts";
import { ConfigError } from "../../core/errors.ts";
import { type Given, list, options as optionsOf, part, type Read } from "../../core/options.ts";
import { named } from "../../core/things.ts";
import {
  Check,
  durable,
  type Form,
  milestones,
  type Schedule,
  type ScheduleKey,
  schedule,
  targetFields,
} from "./schedule.ts";

const suffixes = { LR: "learningRate", WD: "weightDecay" } as const;
type Suffix = keyof typeof suffixes;

const scheduler = part<Schedule>(
  "scheduler",
  kind("a scheduler, as optim.constantLR and its like make", (value) => typeof value === "function"),
);
const parts = {
  /** The schedules that it is made of. */
  schedulers: list(scheduler, 1, "at least one scheduler"),
} as const;

/** Parts of a schedule set the same number, and leave the groups and the steering to the whole. */
function checkParts(where: string, key: ScheduleKey, parts: readonly Schedule[]): void {
  for (const { key: own = "learningRate", paramGroupTags = [], steering } of parts) {
    const tagged = paramGroupTags.length > 0 ? "one with tags" : undefined;
    const got = own !== key ? `one of ${own}` : (tagged ?? (steering && "one that goes by validation"));
    if (got === undefined) continue;
    throw new ConfigError({
      where,
      problem: "a scheduler that can't be a part of another",
      got,
      expected: `closed forms of ${key}; tags are the whole's`,
    });
  }
}

const sequentialRecord = (suffix: Suffix) =>
  optionsOf(`Sequential${suffix}`, {
    ...parts,
    /** Where each but the first begins; where the ones before it are through unless given. */
    milestones: milestones.optional(),
    ...targetFields,
  });
type SequentialRecord = ReturnType<typeof sequentialRecord>;
export type SequentialOptions = Given<SequentialRecord>;

/** One after another, each counting from 0 where it begins. */
function sequential(suffix: Suffix, given: Read<SequentialRecord>): Schedule {
  const where = `Sequential${suffix}`;
  const { schedulers, milestones: begins, ...targets } = given;
  checkParts(`${where}.schedulers`, suffixes[suffix], schedulers);
  const starts = [0];
  if (begins !== undefined) {
    new Check(where).milestones(begins, schedulers.length - 1);
    starts.push(...begins);
  } else {
    for (const { totalIters } of schedulers.slice(0, -1)) {
      if (totalIters === Infinity)
        throw new ConfigError({
          where: `${where}.schedulers`,
          problem: "a scheduler that never ends before the last",
          expected: "totalIters or milestones",
        });
      starts.push(starts[starts.length - 1] + totalIters);
    }
  }
  const last = schedulers.length - 1;
  const at: Form["at"] = (step, group) => {
    let part = last;
    while (step < starts[part]) part--;
    return schedulers[part](step - starts[part], group);
  };
  return schedule(suffixes[suffix], { at, totalIters: starts[last] + schedulers[last].totalIters }, targets, {
    [where]: { schedulers, milestones: begins },
  });
}

const chainedRecord = (suffix: Suffix) => optionsOf(`Chained${suffix}`, { ...parts, ...targetFields });
type ChainedRecord = ReturnType<typeof chainedRecord>;
export type ChainedOptions = Given<ChainedRecord>;

/** The first times the others, each divided by its value at step 0. */
function chained(suffix: Suffix, { schedulers, ...targets }: Read<ChainedRecord>): Schedule {
  const where = `Chained${suffix}.schedulers`;
  checkParts(where, suffixes[suffix], schedulers);
  const [first, ...others] = schedulers;
  const starts = others.map((other) => other(0));
  const zero = starts.indexOf(0);
  if (zero >= 0) {
    throw new ConfigError({
      where,
      problem: "a scheduler that starts at 0 can't be a factor",
      got: `number ${zero + 1}, from 0`,
      expected: "a value > 0 at step 0; only the first may start at 0",
    });
  }
  const at = (step: number) => others.reduce((value, other, i) => value * (other(step) / starts[i]), first(step));
  const totalIters = Math.max(...schedulers.map((part) => part.totalIters));
  return schedule(suffixes[suffix], { at, totalIters }, targets, { [`Chained${suffix}`]: { schedulers } });
}

/** A maker of schedules of a record's options. */
function maker<R extends SequentialRecord | ChainedRecord>(
  suffix: Suffix,
  recordOf: (suffix: Suffix) => R,
  make: (suffix: Suffix, options: never) => Schedule,
): (options: Given<R>) => Schedule {
  const record = recordOf(suffix) as SequentialRecord;
  const makeOf = durable(record.name, suffixes[suffix], (options: object) => make(suffix, options as never));
  return named(record, function (options: Given<R>): Schedule {
    return makeOf(record.read(options as never, arguments));
  });
}

/** Learning rates one after another, each schedule counting from 0 where it begins: at the milestones, or where the ones before it are through. */
export const sequentialLR = maker("LR", sequentialRecord, sequential);
/** As `sequentialLR`, of the weight decay. */
export const sequentialWD = maker("WD", sequentialRecord, sequential);
/** Schedules multiplied: the first's learning rate times each other one's part of its value at step 0. */
export const chainedLR = maker("LR", chainedRecord, chained);
/** As `chainedLR`, of the weight decay. */
export const chainedWD = maker("WD", chainedRecord, chained);

const scaled = optionsOf("ScalePerParamLR", {
  /** The schedule whose values are scaled. */
  scheduler,
  ...targetFields,
});
export type ScalePerParamOptions = Given<typeof scaled>;

const scalePerParam = durable("ScalePerParamLR", "learningRate", (given: Read<typeof scaled>) => {
  const { scheduler: whole, ...targets } = given;
  const { totalIters, steering } = whole;
  if (!steering) checkParts("ScalePerParamLR.scheduler", "learningRate", [whole]);
  const at: Form["at"] = (step, group) => whole(step, group) * (group?.adjustLearningRate ?? 1);
  return schedule("learningRate", { at, totalIters, steering }, targets, { ScalePerParamLR: { scheduler: whole } });
});

/** A schedule of the learning rate times each group's `adjustLearningRate`. */
export const scalePerParamLR = named(scaled, function (options: ScalePerParamOptions): Schedule {
  return scalePerParam(scaled.read(options, arguments));
});
