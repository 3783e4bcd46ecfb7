// The closed forms under the names that people know: `…LR` sets the learning rate, `…WD` the weight decay. Option names are those of the Cerebras
// Model Zoo: `initialLearningRate` and the like for a learning rate, `initialVal` for a decay.

import { checkSchedule } from "../arguments.ts";
import * as cycles from "./cycle.ts";
import * as decays from "./decay.ts";
import { type ReduceOnPlateauOptions, reduceOnPlateau } from "./plateau.ts";
import { Check, type Form, type Schedule, schedule, type Targets } from "./schedule.ts";

/** How a form's options are called in a schedule of the learning rate. */
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

/** A form's options under the names of a learning rate's. */
export type AsLearningRate<O> = { readonly [K in keyof O as K extends keyof Names ? Names[K] : K]: O[K] };

type Maker<O> = (options: O, check: Check) => Form;

/** Between a form's names and a learning rate's, both ways: a form's own name, given for a learning rate, is no name that the form knows. */
const otherNames: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(learningRateNames).flatMap(([key, name]) => [
    [key, name],
    [name, key],
  ]),
);
const otherName = (key: string): string => (Object.hasOwn(otherNames, key) ? otherNames[key] : key);

const learningRate = <O extends object>(where: string, make: Maker<O>) =>
  function (given: AsLearningRate<O> & Targets): Schedule {
    checkSchedule(where, arguments);
    const { paramGroupTags, ...options } = given;
    const own = Object.fromEntries(Object.entries(options).map(([name, value]) => [otherName(name), value]));
    const check = new Check(where, otherName);
    check.tags(paramGroupTags);
    return schedule("learningRate", make(own as O, check), { paramGroupTags }, { [where]: options });
  };

const weightDecay = <O extends object>(where: string, make: Maker<O>) =>
  function (given: O & Targets): Schedule {
    checkSchedule(where, arguments);
    const { paramGroupTags, ...options } = given;
    const check = new Check(where);
    check.tags(paramGroupTags);
    return schedule("weightDecay", make(options as unknown as O, check), { paramGroupTags }, { [where]: options });
  };

/** One rate for `totalIters` steps, or for ever. */
export const constantLR = learningRate<decays.ConstantOptions>("ConstantLR", decays.constant);
/** From initial to end in equal steps. */
export const linearLR = learningRate<decays.DecayOptions>("LinearLR", decays.linear);
/** From initial to end along a power of what is left of the way. */
export const polynomialLR = learningRate<decays.PolynomialOptions>("PolynomialLR", decays.polynomial);
/** The initial rate · decayRate^(step ÷ totalIters), the exponent rounded down with `staircase`. */
export const exponentialLR = learningRate<decays.ExponentialOptions>("ExponentialLR", decays.exponential);
/** The initial rate ÷ (1 + decayRate·(step^stepExponent ÷ totalIters)), the quotient rounded down with `staircase`. */
export const inverseExponentialTimeDecayLR = learningRate<decays.InverseExponentialTimeDecayOptions>(
  "InverseExponentialTimeDecayLR",
  decays.inverseExponentialTimeDecay,
);
/** The initial rate times `scale`, divided by the root of the step, which counts as `warmupSteps` until it gets there. */
export const inverseSquareRootDecayLR = learningRate<decays.InverseSquareRootDecayOptions>(
  "InverseSquareRootDecayLR",
  decays.inverseSquareRootDecay,
);
/** From initial to end along half a cosine. */
export const cosineDecayLR = learningRate<decays.DecayOptions>("CosineDecayLR", decays.cosineDecay);
/** One rate up to each milestone. */
export const piecewiseConstantLR = learningRate<decays.PiecewiseConstantOptions>(
  "PiecewiseConstantLR",
  decays.piecewiseConstant,
);
/** The initial rate, times γ at each milestone. */
export const multiStepLR = learningRate<decays.MultiStepOptions>("MultiStepLR", decays.multiStep);
/** The initial rate, times γ every `stepSize` steps. */
export const stepLR = learningRate<decays.StepOptions>("StepLR", decays.step);
/** Down along a cosine in TMax steps, and up again. */
export const cosineAnnealingLR = learningRate<cycles.CosineAnnealingOptions>(
  "CosineAnnealingLR",
  cycles.cosineAnnealing,
);
/** Down along a cosine, with restarts. */
export const cosineAnnealingWarmRestartsLR = learningRate<cycles.CosineAnnealingWarmRestartsOptions>(
  "CosineAnnealingWarmRestarts",
  cycles.cosineAnnealingWarmRestarts,
);
/** The first rate times a function of the step. */
export const lambdaLR = learningRate<decays.LambdaOptions>("LambdaLR", decays.lambda);
/** Times a coefficient each step. */
export const multiplicativeLR = learningRate<decays.MultiplicativeOptions>("MultiplicativeLR", decays.multiplicative);
/** Up and down in straight lines. */
export const cyclicLR = learningRate<cycles.CyclicOptions>("CyclicLR", cycles.cyclic);
/** Up once, and down far below where it began. */
export const oneCycleLR = learningRate<cycles.OneCycleOptions>("OneCycleLR", cycles.oneCycle);
/** Lowered when a validated number stops getting better: validation is part of such a run. */
export const reduceOnPlateauLR = learningRate<ReduceOnPlateauOptions>("ReduceOnPlateauLR", reduceOnPlateau);

/** One decay for `totalIters` steps, or for ever. */
export const constantWD = weightDecay("ConstantWD", decays.constant);
/** As `linearLR`, of the weight decay. */
export const linearWD = weightDecay("LinearWD", decays.linear);
/** As `polynomialLR`, of the weight decay. */
export const polynomialWD = weightDecay("PolynomialWD", decays.polynomial);
/** As `exponentialLR`, of the weight decay. */
export const exponentialWD = weightDecay("ExponentialWD", decays.exponential);
/** As `inverseExponentialTimeDecayLR`, of the weight decay. */
export const inverseExponentialTimeDecayWD = weightDecay(
  "InverseExponentialTimeDecayWD",
  decays.inverseExponentialTimeDecay,
);
/** As `inverseSquareRootDecayLR`, of the weight decay. */
export const inverseSquareRootDecayWD = weightDecay("InverseSquareRootDecayWD", decays.inverseSquareRootDecay);
/** As `cosineDecayLR`, of the weight decay. */
export const cosineDecayWD = weightDecay("CosineDecayWD", decays.cosineDecay);
/** As `piecewiseConstantLR`, of the weight decay. */
export const piecewiseConstantWD = weightDecay("PiecewiseConstantWD", decays.piecewiseConstant);
/** As `multiStepLR`, of the weight decay. */
export const multiStepWD = weightDecay("MultiStepWD", decays.multiStep);
/** As `stepLR`, of the weight decay. */
export const stepWD = weightDecay("StepWD", decays.step);
/** As `cosineAnnealingLR`, of the weight decay. */
export const cosineAnnealingWD = weightDecay("CosineAnnealingWD", cycles.cosineAnnealing);
/** As `cosineAnnealingWarmRestartsLR`, of the weight decay. */
export const cosineAnnealingWarmRestartsWD = weightDecay(
  "CosineAnnealingWarmRestartsWD",
  cycles.cosineAnnealingWarmRestarts,
);
/** As `lambdaLR`, of the weight decay. */
export const lambdaWD = weightDecay("LambdaWD", decays.lambda);
/** As `multiplicativeLR`, of the weight decay. */
export const multiplicativeWD = weightDecay("MultiplicativeWD", decays.multiplicative);
/** As `cyclicLR`, of the weight decay. */
export const cyclicWD = weightDecay("CyclicWD", cycles.cyclic);
/** As `oneCycleLR`, of the weight decay. */
export const oneCycleWD = weightDecay("OneCycleWD", cycles.oneCycle);
/** As `reduceOnPlateauLR`, of the weight decay. */
export const reduceOnPlateauWD = weightDecay("ReduceOnPlateauWD", reduceOnPlateau);
