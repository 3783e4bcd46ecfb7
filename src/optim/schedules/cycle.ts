// Closed forms that go up and down.

import { flag, nonNegative, positive, share, word } from "../../core/options.ts";
import { cos, integerPower } from "../../core/real.ts";
import { resolvedDuration } from "../duration.ts";
import { closedForm, learningRate, weightDecay } from "./schedule.ts";

/** From `high` to `low` along half a cosine; `part` in [0, 2): past 1 it comes back. */
const cosine = (high: number, low: number, part: number) => low + (high - low) * (0.5 * (1 + cos(Math.PI * part)));

/** η + ½·(v₀ − η)·(1 + cos(π·s ÷ TMax)), there and back again (Loshchilov & Hutter 2017, without restarts). */
const cosineAnnealing = closedForm(
  "CosineAnnealing",
  {
    /** The first value. */
    initialVal: nonNegative,
    /** Steps from the first value to the last. */
    TMax: resolvedDuration,
    /** The last value. */
    etaMin: nonNegative.default(0),
  },
  ({ initialVal, TMax, etaMin }) => ({
    at: (step) => cosine(initialVal, etaMin, (step % (2 * TMax)) / TMax),
    totalIters: Infinity,
  }),
);
/** Down along a cosine in TMax resolvedDuration, and up again. */
export const cosineAnnealingLR = learningRate(cosineAnnealing);
/** As `cosineAnnealingLR`, of the weight decay. */
export const cosineAnnealingWD = weightDecay(cosineAnnealing);

/** η + ½·(v₀ − η)·(1 + cos(π·t ÷ T)), t the steps since the last restart, T the period (Loshchilov & Hutter 2017). */
const cosineAnnealingWarmRestarts = closedForm(
  "CosineAnnealingWarmRestarts",
  {
    /** What each period begins with. */
    initialVal: nonNegative,
    /** Steps before the first restart. */
    T0: resolvedDuration,
    /** How many times longer each period is than the one before. */
    TMult: resolvedDuration.default(1),
    /** What each period goes down to. */
    etaMin: nonNegative.default(0),
  },
  ({ initialVal, T0, TMult, etaMin }) => {
    const at = (step: number) => {
      let [since, period] = TMult === 1 ? [step % T0, T0] : [step, T0];
      while (since >= period) {
        since -= period;
        period *= TMult;
      }
      return cosine(initialVal, etaMin, since / period);
    };
    return { at, totalIters: Infinity };
  },
);
/** Down along a cosine, with restarts. */
export const cosineAnnealingWarmRestartsLR = learningRate(cosineAnnealingWarmRestarts, "CosineAnnealingWarmRestarts");
/** As `cosineAnnealingWarmRestartsLR`, of the weight decay. */
export const cosineAnnealingWarmRestartsWD = weightDecay(cosineAnnealingWarmRestarts);

/** From baseVal up to maxVal and down again in straight lines, over and over (Smith 2017). */
const cyclic = closedForm(
  "Cyclic",
  {
    /** The lowest value, with which it begins. */
    baseVal: nonNegative,
    /** The highest value. */
    maxVal: nonNegative,
    /** Steps up. */
    stepSizeUp: resolvedDuration.default(2000),
    /** Steps down; as many as up unless given. */
    stepSizeDown: resolvedDuration.optional(),
    /** `triangular`; `triangular2`: half the height each cycle; `exp_range`: γˢ of the height. */
    mode: word("triangular", "triangular2", "exp_range").default("triangular"),
    /** γ of `exp_range`. */
    gamma: positive.default(1),
  },
  ({ baseVal, maxVal, stepSizeUp, stepSizeDown = stepSizeUp, mode, gamma }) => {
    const period = stepSizeUp + stepSizeDown;
    const scales = {
      triangular: () => 1,
      triangular2: (step: number) => integerPower(0.5, Math.floor(step / period)),
      exp_range: (step: number) => integerPower(gamma, step),
    };
    const at = (step: number) => {
      const s = step % period;
      const part = s <= stepSizeUp ? s / stepSizeUp : (period - s) / stepSizeDown;
      return baseVal + (maxVal - baseVal) * part * scales[mode](step);
    };
    return { at, totalIters: Infinity };
  },
);
/** Up and down in straight lines. */
export const cyclicLR = learningRate(cyclic);
/** As `cyclicLR`, of the weight decay. */
export const cyclicWD = weightDecay(cyclic);

/** Up from the first value to maxVal until step pctStart·n − 1, down to the last one until n − 1, and no further (Smith & Topin 2019; PyTorch's OneCycleLR). */
const oneCycle = closedForm(
  "OneCycle",
  {
    /** The first value. */
    initialVal: nonNegative,
    /** The highest value. */
    maxVal: nonNegative,
    /** Steps in all. */
    totalSteps: resolvedDuration.default(1000),
    /** The part of the steps that goes up, in (0, 1). */
    pctStart: share.default(0.3),
    /** The last value is the first divided by this. */
    finalDivFactor: positive.default(1e4),
    /** Down to the first value as fast as up, and to the last one then. */
    threePhase: flag.default(false),
    /** Along a cosine or a line. */
    annealStrategy: word("cos", "linear").default("cos"),
  },
  ({ initialVal, maxVal, totalSteps, pctStart, finalDivFactor, threePhase, annealStrategy }, check) => {
    const [up, last] = [pctStart * totalSteps - 1, totalSteps - 1];
    const lowest = initialVal / finalDivFactor;
    const ends = threePhase ? [0, up, 2 * up, last] : [0, up, last];
    const values = threePhase ? [initialVal, maxVal, initialVal, lowest] : [initialVal, maxVal, lowest];
    const ascending = ends.every((end, i) => i === 0 || end > ends[i - 1]);
    const most = threePhase ? "less than half of them" : "not all of them";
    check.that(ascending, "pctStart", pctStart, `more than one step of ${totalSteps}, and ${most}`);
    const at = (step: number) => {
      const s = Math.min(step, last);
      let phase = 1;
      while (s > ends[phase]) phase++;
      const part = (s - ends[phase - 1]) / (ends[phase] - ends[phase - 1]);
      const [from, to] = [values[phase - 1], values[phase]];
      return annealStrategy === "cos" ? cosine(from, to, part) : from + (to - from) * part;
    };
    return { at, totalIters: totalSteps };
  },
);
/** Up once, and down far below where it began. */
export const oneCycleLR = learningRate(oneCycle);
/** As `oneCycleLR`, of the weight decay. */
export const oneCycleWD = weightDecay(oneCycle);
