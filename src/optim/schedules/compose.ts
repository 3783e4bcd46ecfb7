// Schedules made of schedules.

import { callable, checkKind } from "../../core/arguments.ts";
import { ConfigError, showValue } from "../../core/errors.ts";
import { checkKeys } from "../../core/keys.ts";
import { checkSchedule } from "../arguments.ts";
import { Check, type Form, type Schedule, type ScheduleKey, schedule, type Targets } from "./schedule.ts";

export interface SequentialOptions extends Targets {
  readonly schedulers: readonly Schedule[];
  /** Where each but the first begins; where the ones before it are through unless given. */
  readonly milestones?: readonly number[];
}

const suffix: Readonly<Record<ScheduleKey, string>> = { learningRate: "LR", weightDecay: "WD" };

/** Parts of a schedule set the same number, and leave the groups and the steering to the whole. */
function checkParts(where: string, key: ScheduleKey, parts: readonly Schedule[]): void {
  if (!Array.isArray(parts) || !Array.from(parts).every((part) => typeof part === "function")) {
    throw new ConfigError({
      where,
      problem: "not schedulers",
      got: showValue(parts),
      expected: "a list of what optim.constantLR and its like make",
    });
  }
  if (parts.length === 0) throw new ConfigError({ where, problem: "no schedulers", expected: "at least one" });
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

/** One after another, each counting from 0 where it begins. */
function sequential(key: ScheduleKey, options: SequentialOptions): Schedule {
  const where = `Sequential${suffix[key]}`;
  checkKeys(where, options, ["schedulers", "milestones", "paramGroupTags"]);
  const { schedulers, milestones, ...targets } = options;
  new Check(where).tags(targets.paramGroupTags);
  checkParts(`${where}.schedulers`, key, schedulers);
  const starts = [0];
  if (milestones !== undefined) {
    new Check(where).milestones("milestones", milestones, schedulers.length - 1);
    starts.push(...milestones);
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
  return schedule(key, { at, totalIters: starts[last] + schedulers[last].totalIters }, targets, {
    [where]: { schedulers, milestones },
  });
}

export interface ChainedOptions extends Targets {
  readonly schedulers: readonly Schedule[];
}

/** The first times the others, each divided by its value at step 0. */
function chained(key: ScheduleKey, options: ChainedOptions): Schedule {
  checkKeys(`Chained${suffix[key]}`, options, ["schedulers", "paramGroupTags"]);
  const { schedulers, ...targets } = options;
  new Check(`Chained${suffix[key]}`).tags(targets.paramGroupTags);
  const where = `Chained${suffix[key]}.schedulers`;
  checkParts(where, key, schedulers);
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
  return schedule(key, { at, totalIters }, targets, { [`Chained${suffix[key]}`]: { schedulers } });
}

/** Learning rates one after another, each schedule counting from 0 where it begins: at the milestones, or where the ones before it are through. */
export function sequentialLR(options: SequentialOptions): Schedule {
  checkSchedule("sequentialLR", arguments);
  return sequential("learningRate", options);
}

/** As `sequentialLR`, of the weight decay. */
export function sequentialWD(options: SequentialOptions): Schedule {
  checkSchedule("sequentialWD", arguments);
  return sequential("weightDecay", options);
}

/** Schedules multiplied: the first's learning rate times each other one's part of its value at step 0. */
export function chainedLR(options: ChainedOptions): Schedule {
  checkSchedule("chainedLR", arguments);
  return chained("learningRate", options);
}

/** As `chainedLR`, of the weight decay. */
export function chainedWD(options: ChainedOptions): Schedule {
  checkSchedule("chainedWD", arguments);
  return chained("weightDecay", options);
}

export interface ScalePerParamOptions extends Targets {
  readonly scheduler: Schedule;
}

/** A schedule of the learning rate times each group's `adjustLearningRate`. */
export function scalePerParamLR(options: ScalePerParamOptions): Schedule {
  checkSchedule("scalePerParamLR", arguments);
  checkKeys("ScalePerParamLR", options, ["scheduler", "paramGroupTags"]);
  const { scheduler, ...targets } = options;
  new Check("ScalePerParamLR").tags(targets.paramGroupTags);
  checkKind("ScalePerParamLR.scheduler", "it", callable, scheduler);
  const { totalIters, steering } = scheduler;
  if (!steering) checkParts("ScalePerParamLR.scheduler", "learningRate", [scheduler]);
  const at: Form["at"] = (step, group) => scheduler(step, group) * (group?.adjustLearningRate ?? 1);
  return schedule("learningRate", { at, totalIters, steering }, targets, { ScalePerParamLR: { scheduler } });
}
