// Closed forms that go up and down.
import { cos, integerPower } from "../../core/real.ts";
import type { Check, Form } from "./schedule.ts";

export interface CosineAnnealingOptions {
  readonly initialVal: number;
  /** Steps from the first value to the last. */
  readonly TMax: number;
  /** The last value; default 0. */
  readonly etaMin?: number;
}

/** From `high` to `low` along half a cosine; `part` in [0, 2): past 1 it comes back. */
const cosine = (high: number, low: number, part: number) => low + (high - low) * (0.5 * (1 + cos(Math.PI * part)));

/** η + ½·(v₀ − η)·(1 + cos(π·s ÷ TMax)), there and back again (Loshchilov & Hutter 2017, without restarts). */
export function cosineAnnealing(options: CosineAnnealingOptions, check: Check): Form {
  check.keys(options, ["initialVal", "TMax", "etaMin"]);
  const { initialVal, TMax, etaMin = 0 } = options;
  check.value("initialVal", initialVal);
  check.count("TMax", TMax);
  check.value("etaMin", etaMin);
  return { at: (step) => cosine(initialVal, etaMin, (step % (2 * TMax)) / TMax), totalIters: Infinity };
}

export interface CosineAnnealingWarmRestartsOptions {
  readonly initialVal: number;
  /** Steps before the first restart. */
  readonly T0: number;
  /** How many times longer each period is than the one before; default 1. */
  readonly TMult?: number;
  /** What each period goes down to; default 0. */
  readonly etaMin?: number;
}

/** η + ½·(v₀ − η)·(1 + cos(π·t ÷ T)), t the steps since the last restart, T the period (Loshchilov & Hutter 2017). */
export function cosineAnnealingWarmRestarts(options: CosineAnnealingWarmRestartsOptions, check: Check): Form {
  check.keys(options, ["initialVal", "T0", "TMult", "etaMin"]);
  const { initialVal, T0, TMult = 1, etaMin = 0 } = options;
  check.value("initialVal", initialVal);
  check.count("T0", T0);
  check.count("TMult", TMult);
  check.value("etaMin", etaMin);
  const at = (step: number) => {
    let [since, period] = TMult === 1 ? [step % T0, T0] : [step, T0];
    while (since >= period) {
      since -= period;
      period *= TMult;
    }
    return cosine(initialVal, etaMin, since / period);
  };
  return { at, totalIters: Infinity };
}

export interface CyclicOptions {
  readonly baseVal: number;
  readonly maxVal: number;
  /** Steps up; default 2000. */
  readonly stepSizeUp?: number;
  /** Steps down; as many as up unless given. */
  readonly stepSizeDown?: number;
  /** `triangular` (default); `triangular2`: half the height each cycle; `exp_range`: γˢ of the height. */
  readonly mode?: "triangular" | "triangular2" | "exp_range";
  /** Default 1. */
  readonly gamma?: number;
}

/** From baseVal up to maxVal and down again in straight lines, over and over (Smith 2017). */
export function cyclic(options: CyclicOptions, check: Check): Form {
  check.keys(options, ["baseVal", "maxVal", "stepSizeUp", "stepSizeDown", "mode", "gamma"]);
  const { baseVal, maxVal, stepSizeUp = 2000, stepSizeDown = stepSizeUp, mode = "triangular", gamma = 1 } = options;
  check.value("baseVal", baseVal);
  check.value("maxVal", maxVal);
  check.count("stepSizeUp", stepSizeUp);
  check.count("stepSizeDown", stepSizeDown);
  check.positive("gamma", gamma);
  const period = stepSizeUp + stepSizeDown;
  const scales = {
    triangular: () => 1,
    triangular2: (step: number) => integerPower(0.5, Math.floor(step / period)),
    exp_range: (step: number) => integerPower(gamma, step),
  };
  check.that(Object.hasOwn(scales, mode), "mode", mode, `one of ${Object.keys(scales).join(", ")}`, "unknown mode");
  const at = (step: number) => {
    const s = step % period;
    const part = s <= stepSizeUp ? s / stepSizeUp : (period - s) / stepSizeDown;
    return baseVal + (maxVal - baseVal) * part * scales[mode](step);
  };
  return { at, totalIters: Infinity };
}

export interface OneCycleOptions {
  readonly initialVal: number;
  readonly maxVal: number;
  /** Default 1000. */
  readonly totalSteps?: number;
  /** The part of the steps that goes up, in (0, 1); default 0.3. */
  readonly pctStart?: number;
  /** The last value is the first divided by this; default 10⁴. */
  readonly finalDivFactor?: number;
  /** Down to the first value as fast as up, and to the last one then. */
  readonly threePhase?: boolean;
  /** Default `cos`. */
  readonly annealStrategy?: "cos" | "linear";
}

/** Up from the first value to maxVal until step pctStart·n − 1, down to the last one until n − 1, and no further (Smith & Topin 2019; PyTorch's OneCycleLR). */
export function oneCycle(options: OneCycleOptions, check: Check): Form {
  check.keys(options, [
    "initialVal",
    "maxVal",
    "totalSteps",
    "pctStart",
    "finalDivFactor",
    "threePhase",
    "annealStrategy",
  ]);
  const { initialVal, maxVal, totalSteps = 1000, pctStart = 0.3, finalDivFactor = 1e4 } = options;
  const { threePhase = false, annealStrategy = "cos" } = options;
  check.value("initialVal", initialVal);
  check.value("maxVal", maxVal);
  check.count("totalSteps", totalSteps);
  check.positive("finalDivFactor", finalDivFactor);
  const strategies = ["cos", "linear"];
  check.that(
    strategies.includes(annealStrategy),
    "annealStrategy",
    annealStrategy,
    "cos or linear",
    "unknown strategy",
  );
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
}
