// Learning-rate schedules: closed forms, functions of the step alone, in float64 of the project's own. Step 0 is the first optimizer step.
import { ConfigError } from "../core/errors.ts";
import { cos } from "../core/real.ts";

/** The learning rate for the optimizer step numbered `step` from 0. `totalIters`: after so many steps it stays as it is (Infinity: never). */
export interface Schedule {
  (step: number): number;
  readonly totalIters: number;
}

export interface DecayOptions {
  readonly initialLearningRate: number;
  readonly endLearningRate: number;
  readonly totalIters: number;
}

function checkRate(where: string, name: string, rate: number): void {
  if (!(rate >= 0 && rate < Infinity))
    throw new ConfigError({
      where: `${where}.${name}`,
      problem: "not a learning rate",
      got: String(rate),
      expected: "a number ≥ 0",
    });
}

function checkIters(where: string, iters: number): void {
  if (!Number.isSafeInteger(iters) || iters < 1)
    throw new ConfigError({
      where: `${where}.totalIters`,
      problem: "not a number of steps",
      got: String(iters),
      expected: "an integer ≥ 1",
    });
}

function schedule(totalIters: number, rate: (step: number) => number): Schedule {
  return Object.assign((step: number) => rate(step), { totalIters });
}

/** One rate for `totalIters` steps, or for ever. */
export function constantLR({
  learningRate,
  totalIters,
}: {
  readonly learningRate: number;
  readonly totalIters?: number;
}): Schedule {
  checkRate("ConstantLR", "learningRate", learningRate);
  if (totalIters !== undefined) checkIters("ConstantLR", totalIters);
  return schedule(totalIters ?? Infinity, () => learningRate);
}

function decay(
  where: string,
  { initialLearningRate, endLearningRate, totalIters }: DecayOptions,
  shape: (part: number) => number,
): Schedule {
  checkRate(where, "initialLearningRate", initialLearningRate);
  checkRate(where, "endLearningRate", endLearningRate);
  checkIters(where, totalIters);
  return schedule(totalIters, (step) => {
    if (step >= totalIters) return endLearningRate;
    return initialLearningRate + (endLearningRate - initialLearningRate) * shape(step / totalIters);
  });
}

/** From initial to end in equal steps: at step s the part s ÷ totalIters of the way, at the end from totalIters on. */
export function linearLR(options: DecayOptions): Schedule {
  return decay("LinearLR", options, (part) => part);
}

/** From initial to end along half a cosine (Loshchilov & Hutter 2017): at step s the part ½·(1 − cos(π·s ÷ totalIters)) of the way. */
export function cosineDecayLR(options: DecayOptions): Schedule {
  return decay("CosineDecayLR", options, (part) => 0.5 * (1 - cos(Math.PI * part)));
}

/** Schedules one after another, each counting from 0 where it begins: at the milestones, or where the ones before it are through. */
export function sequentialLR({
  schedulers,
  milestones,
}: {
  readonly schedulers: readonly Schedule[];
  readonly milestones?: readonly number[];
}): Schedule {
  if (schedulers.length === 0)
    throw new ConfigError({ where: "SequentialLR.schedulers", problem: "no schedulers", expected: "at least one" });
  const starts = [0];
  if (milestones) {
    if (
      milestones.length !== schedulers.length - 1 ||
      milestones.some((at, i) => !Number.isSafeInteger(at) || at <= (milestones[i - 1] ?? 0))
    ) {
      throw new ConfigError({
        where: "SequentialLR.milestones",
        problem: "not where each scheduler but the first begins",
        got: `[${milestones.join(", ")}]`,
        expected: `${schedulers.length - 1} ascending steps`,
      });
    }
    starts.push(...milestones);
  } else {
    for (const { totalIters } of schedulers.slice(0, -1)) {
      if (totalIters === Infinity)
        throw new ConfigError({
          where: "SequentialLR.schedulers",
          problem: "a scheduler that never ends before the last",
          expected: "totalIters or milestones",
        });
      starts.push(starts[starts.length - 1] + totalIters);
    }
  }
  const last = schedulers.length - 1;
  return schedule(starts[last] + schedulers[last].totalIters, (step) => {
    let at = last;
    while (step < starts[at]) at--;
    return schedulers[at](step - starts[at]);
  });
}
