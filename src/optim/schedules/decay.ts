// Closed forms that go one way: from a first value down (or up) to a last one. `v₀` is initialVal, `v₁` endVal, s the step, n totalIters.
import { callable } from "../../core/arguments.ts";
import { code, either, flag, list, nonNegative, positive } from "../../core/options.ts";
import { atOnce } from "../../core/promise.ts";
import { cos, integerPower, power } from "../../core/real.ts";
import { resolvedDuration } from "../duration.ts";
import { type Check, closedForm, type Form, learningRate, milestones, warmupFields, weightDecay } from "./schedule.ts";

const constant = closedForm(
  "Constant",
  {
    /** The value. */
    val: nonNegative,
    /** How many steps it is for; without end where it is left out. */
    totalIters: resolvedDuration.optional(),
    ...warmupFields,
  },
  ({ val, totalIters = Infinity }) => ({ at: () => val, totalIters }),
);
/** One rate for `totalIters` steps, or for ever. */
export const constantLR = learningRate(constant);
/** One decay for `totalIters` steps, or for ever. */
export const constantWD = weightDecay(constant);

const initial = {
  /** The first value. */
  initialVal: nonNegative,
} as const;
const ends = {
  ...initial,
  /** The last value. */
  endVal: nonNegative,
  /** Steps from the first value to the last. */
  totalIters: resolvedDuration,
  ...warmupFields,
} as const;

interface Ends {
  readonly initialVal: number;
  readonly endVal: number;
  readonly totalIters: number;
}

const between = ({ initialVal, endVal, totalIters }: Ends, shape: (part: number) => number): Form => ({
  at: (step) => (step >= totalIters ? endVal : initialVal + (endVal - initialVal) * shape(step / totalIters)),
  totalIters,
});

/** At step s the part s ÷ n of the way, at the end from n on. */
const linear = closedForm("Linear", ends, (options) => between(options, (part) => part));
/** From initial to end in equal resolvedDuration. */
export const linearLR = learningRate(linear);
/** As `linearLR`, of the weight decay. */
export const linearWD = weightDecay(linear);

/** At step s the part ½·(1 − cos(π·s ÷ n)) of the way (Loshchilov & Hutter 2017). */
const cosineDecay = closedForm("CosineDecay", ends, (options) =>
  between(options, (part) => 0.5 * (1 - cos(Math.PI * part))),
);
/** From initial to end along half a cosine. */
export const cosineDecayLR = learningRate(cosineDecay);
/** As `cosineDecayLR`, of the weight decay. */
export const cosineDecayWD = weightDecay(cosineDecay);

/** v₁ + (v₀ − v₁)·(1 − s ÷ n)^power; v₁ from n on, or with `cycle` n·⌈s ÷ n⌉ in n's place. */
const polynomial = closedForm(
  "Polynomial",
  {
    ...ends,
    /** The power of what is left of the way. */
    power: positive.default(1),
    /** Starts again where it is through, with n times the number of rounds: TensorFlow's PolynomialDecay. */
    cycle: flag.default(false),
  },
  ({ initialVal, endVal, totalIters, power: exponent, cycle }) => {
    const at = (step: number) => {
      if (!cycle && step >= totalIters) return endVal;
      const length = totalIters * Math.max(1, Math.ceil(step / totalIters));
      return endVal + (initialVal - endVal) * power(1 - step / length, exponent);
    };
    return { at, totalIters: cycle ? Infinity : totalIters };
  },
);
/** From initial to end along a power of what is left of the way. */
export const polynomialLR = learningRate(polynomial);
/** As `polynomialLR`, of the weight decay. */
export const polynomialWD = weightDecay(polynomial);

const decaying = {
  ...initial,
  /** Steps that one whole decay takes; it goes on beyond them. */
  totalIters: resolvedDuration,
  /** What the value is multiplied by in `totalIters` resolvedDuration. */
  decayRate: positive,
  /** Changes only every `totalIters` resolvedDuration. */
  staircase: flag.default(false),
} as const;

/** v₀·decayRate^(s ÷ n), the exponent rounded down with `staircase`; goes on beyond n. */
const exponential = closedForm("Exponential", decaying, ({ initialVal, totalIters, decayRate, staircase }) => {
  const exponent = (step: number) => (staircase ? Math.floor(step / totalIters) : step / totalIters);
  return { at: (step) => initialVal * power(decayRate, exponent(step)), totalIters };
});
/** The initial rate · decayRate^(step ÷ totalIters), the exponent rounded down with `staircase`. */
export const exponentialLR = learningRate(exponential);
/** As `exponentialLR`, of the weight decay. */
export const exponentialWD = weightDecay(exponential);

/** v₀ ÷ (1 + decayRate·(s^stepExponent ÷ n)), the bracket's quotient rounded down with `staircase`; goes on beyond n. */
const inverseExponentialTimeDecay = closedForm(
  "InverseExponentialTimeDecay",
  {
    ...decaying,
    /** What the quotient of step and `totalIters` is multiplied by, before 1 is added and the value divided by the sum. */
    decayRate: nonNegative,
    /** The power of the step. */
    stepExponent: positive,
  },
  ({ initialVal, stepExponent, totalIters, decayRate, staircase }) => {
    const at = (step: number) => {
      const part = power(step, stepExponent) / totalIters;
      return initialVal / (1 + decayRate * (staircase ? Math.floor(part) : part));
    };
    return { at, totalIters };
  },
);
/** The initial rate ÷ (1 + decayRate·(step^stepExponent ÷ totalIters)), the quotient rounded down with `staircase`. */
export const inverseExponentialTimeDecayLR = learningRate(inverseExponentialTimeDecay);
/** As `inverseExponentialTimeDecayLR`, of the weight decay. */
export const inverseExponentialTimeDecayWD = weightDecay(inverseExponentialTimeDecay);

/** v₀·scale ÷ √max(s, warmupSteps). */
const inverseSquareRootDecay = closedForm(
  "InverseSquareRootDecay",
  {
    /** The first value. */
    initialVal: nonNegative.default(1),
    /** A factor of every value. */
    scale: nonNegative.default(1),
    /** Steps at the beginning without decay. */
    warmupSteps: resolvedDuration.default(1),
  },
  ({ initialVal, scale, warmupSteps }) => ({
    at: (step) => (initialVal * scale) / Math.sqrt(Math.max(step, warmupSteps)),
    totalIters: Infinity,
  }),
);
/** The initial rate times `scale`, divided by the root of the step, which counts as `warmupSteps` until it gets there. */
export const inverseSquareRootDecayLR = learningRate(inverseSquareRootDecay);
/** As `inverseSquareRootDecayLR`, of the weight decay. */
export const inverseSquareRootDecayWD = weightDecay(inverseSquareRootDecay);

const passed = (starts: readonly number[], step: number) => starts.filter((at) => step >= at).length;

/** One value up to each milestone, and one after the last. */
const piecewiseConstant = closedForm(
  "PiecewiseConstant",
  {
    /** The values, one more than milestones. */
    vals: list(nonNegative, 1, "at least one value"),
    /** Where each value but the first begins. */
    milestones,
  },
  ({ vals, milestones: starts }, check: Check) => {
    check.milestones(starts, vals.length - 1);
    return { at: (step) => vals[passed(starts, step)], totalIters: Infinity };
  },
);
/** One rate up to each milestone. */
export const piecewiseConstantLR = learningRate(piecewiseConstant);
/** As `piecewiseConstantLR`, of the weight decay. */
export const piecewiseConstantWD = weightDecay(piecewiseConstant);

/** v₀·γᵏ, k the milestones reached. */
const multiStep = closedForm(
  "MultiStep",
  {
    ...initial,
    /** What the value is multiplied by at each milestone. */
    gamma: nonNegative,
    /** The steps at which it is multiplied. */
    milestones,
  },
  ({ initialVal, gamma, milestones: reached }) => ({
    at: (step) => initialVal * integerPower(gamma, passed(reached, step)),
    totalIters: Infinity,
  }),
);
/** The initial rate, times γ at each milestone. */
export const multiStepLR = learningRate(multiStep);
/** As `multiStepLR`, of the weight decay. */
export const multiStepWD = weightDecay(multiStep);

/** v₀·γ^⌊s ÷ stepSize⌋. */
const step = closedForm(
  "Step",
  {
    ...initial,
    /** Steps between two changes. */
    stepSize: resolvedDuration,
    /** What the value is multiplied by at each change. */
    gamma: nonNegative,
  },
  ({ initialVal, stepSize, gamma }) => ({
    at: (at) => initialVal * integerPower(gamma, Math.floor(at / stepSize)),
    totalIters: Infinity,
  }),
);
/** The initial rate, times γ every `stepSize` resolvedDuration. */
export const stepLR = learningRate(step);
/** As `stepLR`, of the weight decay. */
export const stepWD = weightDecay(step);

/** v₀ times a factor of one's own. */
const lambda = closedForm(
  "Lambda",
  {
    ...initial,
    /** The factor at a step, from 0. Without Math.exp and the like, whose bits differ between engines. */
    lambda: code<(step: number) => number>(callable),
  },
  ({ initialVal, lambda: factor }) => ({
    at: (at) => initialVal * atOnce("lambda", factor(at)),
    totalIters: Infinity,
  }),
);
/** The first rate times a function of the step. */
export const lambdaLR = learningRate(lambda);
/** As `lambdaLR`, of the weight decay. */
export const lambdaWD = weightDecay(lambda);

/** v₀·cˢ, or v₀·c(1)·…·c(s). */
const multiplicative = closedForm(
  "Multiplicative",
  {
    ...initial,
    /** The factor from one step to the next; a function gives the one that leads to a step from 1 on. */
    coefficient: either(nonNegative, code<(step: number) => number>(callable), "a number ≥ 0"),
  },
  ({ initialVal, coefficient }) => {
    if (typeof coefficient === "number")
      return { at: (at) => initialVal * integerPower(coefficient, at), totalIters: Infinity };
    // Products so far: the same factors in the same order, whichever step is asked first.
    const values = [initialVal];
    const at = (at: number) => {
      while (values.length <= at)
        values.push(values[values.length - 1] * atOnce("coefficient", coefficient(values.length)));
      return values[at];
    };
    return { at, totalIters: Infinity };
  },
);
/** Times a coefficient each step. */
export const multiplicativeLR = learningRate(multiplicative);
/** As `multiplicativeLR`, of the weight decay. */
export const multiplicativeWD = weightDecay(multiplicative);
