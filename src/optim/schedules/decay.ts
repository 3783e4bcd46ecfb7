// Closed forms that go one way: from a first value down (or up) to a last one. `v₀` is initialVal, `v₁` endVal, s the step, n totalIters.
import { atOnce } from "../../core/promise.ts";
import { cos, integerPower, power } from "../../core/real.ts";
import type { Check, Form } from "./schedule.ts";

export interface ConstantOptions {
  readonly val: number;
  readonly totalIters?: number;
}

/** One value, for `totalIters` steps or for ever. */
export function constant(options: ConstantOptions, check: Check): Form {
  check.keys(options, ["val", "totalIters"]);
  const { val, totalIters } = options;
  check.value("val", val);
  if (totalIters !== undefined) check.count("totalIters", totalIters);
  return { at: () => val, totalIters: totalIters ?? Infinity };
}

export interface DecayOptions {
  readonly initialVal: number;
  readonly endVal: number;
  readonly totalIters: number;
}

function between(
  { initialVal, endVal, totalIters }: DecayOptions,
  check: Check,
  shape: (part: number) => number,
): Form {
  check.value("initialVal", initialVal);
  check.value("endVal", endVal);
  check.count("totalIters", totalIters);
  const at = (step: number) =>
    step >= totalIters ? endVal : initialVal + (endVal - initialVal) * shape(step / totalIters);
  return { at, totalIters };
}

/** From v₀ to v₁ in equal steps: at step s the part s ÷ n of the way, at the end from n on. */
export function linear(options: DecayOptions, check: Check): Form {
  check.keys(options, ["initialVal", "endVal", "totalIters"]);
  return between(options, check, (part) => part);
}

/** From v₀ to v₁ along half a cosine (Loshchilov & Hutter 2017): at step s the part ½·(1 − cos(π·s ÷ n)) of the way. */
export function cosineDecay(options: DecayOptions, check: Check): Form {
  check.keys(options, ["initialVal", "endVal", "totalIters"]);
  return between(options, check, (part) => 0.5 * (1 - cos(Math.PI * part)));
}

export interface PolynomialOptions extends DecayOptions {
  /** Default 1. */
  readonly power?: number;
  /** Starts again where it is through, with n times the number of rounds: TensorFlow's PolynomialDecay. */
  readonly cycle?: boolean;
}

/** v₁ + (v₀ − v₁)·(1 − s ÷ n)^power; v₁ from n on, or with `cycle` n·⌈s ÷ n⌉ in n's place. */
export function polynomial(options: PolynomialOptions, check: Check): Form {
  check.keys(options, ["initialVal", "endVal", "totalIters", "power", "cycle"]);
  const { initialVal, endVal, totalIters, power: exponent = 1, cycle = false } = options;
  check.value("initialVal", initialVal);
  check.value("endVal", endVal);
  check.count("totalIters", totalIters);
  check.positive("power", exponent);
  const at = (step: number) => {
    if (!cycle && step >= totalIters) return endVal;
    const length = totalIters * Math.max(1, Math.ceil(step / totalIters));
    return endVal + (initialVal - endVal) * power(1 - step / length, exponent);
  };
  return { at, totalIters: cycle ? Infinity : totalIters };
}

export interface ExponentialOptions {
  readonly initialVal: number;
  readonly totalIters: number;
  /** What the value is multiplied by in `totalIters` steps. */
  readonly decayRate: number;
  /** Changes only every `totalIters` steps. */
  readonly staircase?: boolean;
}

/** v₀·decayRate^(s ÷ n), the exponent rounded down with `staircase`; goes on beyond n. */
export function exponential(options: ExponentialOptions, check: Check): Form {
  check.keys(options, ["initialVal", "totalIters", "decayRate", "staircase"]);
  const { initialVal, totalIters, decayRate, staircase = false } = options;
  check.value("initialVal", initialVal);
  check.count("totalIters", totalIters);
  check.positive("decayRate", decayRate);
  const exponent = (step: number) => (staircase ? Math.floor(step / totalIters) : step / totalIters);
  return { at: (step) => initialVal * power(decayRate, exponent(step)), totalIters };
}

export interface InverseExponentialTimeDecayOptions extends ExponentialOptions {
  readonly stepExponent: number;
}

/** v₀ ÷ (1 + decayRate·(s^stepExponent ÷ n)), the bracket's quotient rounded down with `staircase`; goes on beyond n. */
export function inverseExponentialTimeDecay(options: InverseExponentialTimeDecayOptions, check: Check): Form {
  check.keys(options, ["initialVal", "stepExponent", "totalIters", "decayRate", "staircase"]);
  const { initialVal, stepExponent, totalIters, decayRate, staircase = false } = options;
  check.value("initialVal", initialVal);
  check.positive("stepExponent", stepExponent);
  check.count("totalIters", totalIters);
  check.value("decayRate", decayRate);
  const at = (step: number) => {
    const part = power(step, stepExponent) / totalIters;
    return initialVal / (1 + decayRate * (staircase ? Math.floor(part) : part));
  };
  return { at, totalIters };
}

export interface InverseSquareRootDecayOptions {
  /** Default 1. */
  readonly initialVal?: number;
  /** Default 1. */
  readonly scale?: number;
  /** Steps at the beginning without decay; default 1. */
  readonly warmupSteps?: number;
}

/** v₀·scale ÷ √max(s, warmupSteps). */
export function inverseSquareRootDecay(options: InverseSquareRootDecayOptions, check: Check): Form {
  check.keys(options, ["initialVal", "scale", "warmupSteps"]);
  const { initialVal = 1, scale = 1, warmupSteps = 1 } = options;
  check.value("initialVal", initialVal);
  check.value("scale", scale);
  check.count("warmupSteps", warmupSteps);
  return { at: (step) => (initialVal * scale) / Math.sqrt(Math.max(step, warmupSteps)), totalIters: Infinity };
}

export interface PiecewiseConstantOptions {
  readonly vals: readonly number[];
  /** Where each value but the first begins. */
  readonly milestones: readonly number[];
}

/** One value up to each milestone, and one after the last. */
export function piecewiseConstant(options: PiecewiseConstantOptions, check: Check): Form {
  check.keys(options, ["vals", "milestones"]);
  const { vals, milestones } = options;
  check.list("vals", vals);
  for (const val of vals) check.value("vals", val);
  check.that(vals.length > 0, "vals", "none", "at least one value", "no values");
  check.milestones("milestones", milestones, vals.length - 1);
  return { at: (step) => vals[passed(milestones, step)], totalIters: Infinity };
}

const passed = (milestones: readonly number[], step: number) => milestones.filter((at) => step >= at).length;

export interface MultiStepOptions {
  readonly initialVal: number;
  readonly gamma: number;
  readonly milestones: readonly number[];
}

/** v₀·γᵏ, k the milestones reached. */
export function multiStep(options: MultiStepOptions, check: Check): Form {
  check.keys(options, ["initialVal", "gamma", "milestones"]);
  const { initialVal, gamma, milestones } = options;
  check.value("initialVal", initialVal);
  check.value("gamma", gamma);
  check.milestones("milestones", milestones);
  return { at: (step) => initialVal * integerPower(gamma, passed(milestones, step)), totalIters: Infinity };
}

export interface StepOptions {
  readonly initialVal: number;
  /** Steps between two changes. */
  readonly stepSize: number;
  readonly gamma: number;
}

/** v₀·γ^⌊s ÷ stepSize⌋. */
export function step(options: StepOptions, check: Check): Form {
  check.keys(options, ["initialVal", "stepSize", "gamma"]);
  const { initialVal, stepSize, gamma } = options;
  check.value("initialVal", initialVal);
  check.count("stepSize", stepSize);
  check.value("gamma", gamma);
  return { at: (s) => initialVal * integerPower(gamma, Math.floor(s / stepSize)), totalIters: Infinity };
}

export interface LambdaOptions {
  readonly initialVal: number;
  /** The factor at a step, from 0. Without Math.exp and the like, whose bits differ between engines. */
  readonly lambda: (step: number) => number;
}

/** v₀ times a factor of one's own. */
export function lambda(options: LambdaOptions, check: Check): Form {
  check.keys(options, ["initialVal", "lambda"]);
  const { initialVal, lambda: factor } = options;
  check.value("initialVal", initialVal);
  check.that(typeof factor === "function", "lambda", typeof factor, "(step) => number", "not a function");
  return { at: (step) => initialVal * atOnce("lambda", factor(step)), totalIters: Infinity };
}

export interface MultiplicativeOptions {
  readonly initialVal: number;
  /** The factor from one step to the next; a function gives the one that leads to a step from 1 on. */
  readonly coefficient: number | ((step: number) => number);
}

/** v₀·cˢ, or v₀·c(1)·…·c(s). */
export function multiplicative(options: MultiplicativeOptions, check: Check): Form {
  check.keys(options, ["initialVal", "coefficient"]);
  const { initialVal, coefficient } = options;
  check.value("initialVal", initialVal);
  if (typeof coefficient === "number") {
    check.value("coefficient", coefficient);
    return { at: (s) => initialVal * integerPower(coefficient, s), totalIters: Infinity };
  }
  check.that(typeof coefficient === "function", "coefficient", typeof coefficient, "a number or (step) => number");
  // Products so far: the same factors in the same order, whichever step is asked first.
  const values = [initialVal];
  const at = (s: number) => {
    while (values.length <= s)
      values.push(values[values.length - 1] * atOnce("coefficient", coefficient(values.length)));
    return values[s];
  };
  return { at, totalIters: Infinity };
}
