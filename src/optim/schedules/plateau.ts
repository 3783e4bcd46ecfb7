// A value that is lowered when a validated number stops getting better: not a function of the step alone, so validation is part of such a run,
// and what it has seen is part of a checkpoint.
import { directionOf, type Mode, monitored, monitoredName } from "../monitored.ts";
import type { Check, Form, Steering } from "./schedule.ts";

export interface ReduceOnPlateauOptions {
  readonly initialVal: number;
  /** The validated number, `loss` unless given. */
  readonly metric?: string;
  /** Whether less or more of it is better: by default what its loss or metric says; a metric that doesn't say needs it. */
  readonly mode?: Mode;
  /** What the value is multiplied by, in [0, 1); default 0.1. */
  readonly factor?: number;
  /** Validations without an improvement that are borne; default 10. */
  readonly patience?: number;
  /** What counts as an improvement: by this part of the best (`rel`), or by this much (`abs`); default 10⁻⁴. */
  readonly threshold?: number;
  readonly thresholdMode?: "rel" | "abs";
  /** Validations after a change that don't count; default 0. */
  readonly cooldown?: number;
  /** The least value; default 0. */
  readonly minVal?: number;
  /** A smaller change isn't made; default 10⁻⁸. */
  readonly epsilon?: number;
}

interface State {
  value: number;
  best: number | null;
  /** Validations since the best. */
  bad: number;
  cooling: number;
}

/** v ← max(factor·v, minVal) after more than `patience` validations in a row without an improvement (PyTorch's ReduceLROnPlateau). Its state is in checkpoints; a run begins with it anew. */
export function reduceOnPlateau(options: ReduceOnPlateauOptions, check: Check): Form {
  check.keys(options, [
    "initialVal",
    "metric",
    "mode",
    "factor",
    "patience",
    "threshold",
    "thresholdMode",
    "cooldown",
    "minVal",
    "epsilon",
  ]);
  const { initialVal, metric = "loss", mode, factor = 0.1, patience = 10, threshold = 1e-4 } = options;
  const { thresholdMode = "rel", cooldown = 0, minVal = 0, epsilon = 1e-8 } = options;
  check.value("initialVal", initialVal);
  check.that(mode === undefined || mode === "min" || mode === "max", "mode", mode, "min or max", "unknown mode");
  check.that(factor >= 0 && factor < 1, "factor", factor, "a number in [0, 1)");
  for (const [key, count] of Object.entries({ patience, cooldown }))
    check.that(Number.isSafeInteger(count) && count >= 0, key, count, "an integer ≥ 0");
  check.value("threshold", threshold);
  check.that(["rel", "abs"].includes(thresholdMode), "thresholdMode", thresholdMode, "rel or abs", "unknown mode");
  check.value("minVal", minVal);
  check.value("epsilon", epsilon);
  const first: State = { value: initialVal, best: null, bad: 0, cooling: 0 };
  const state = { ...first };
  let direction = mode;

  const improves = (value: number, best: number) => {
    const sign = direction === "min" ? -1 : 1;
    const bar = thresholdMode === "rel" ? best * (1 + sign * threshold) : best + sign * threshold;
    return direction === "min" ? value < bar : value > bar;
  };
  const observe = (value: number) => {
    if (state.best === null ? value === value : improves(value, state.best)) {
      state.best = value;
      state.bad = 0;
    } else state.bad++;
    if (state.cooling > 0) {
      state.cooling--;
      state.bad = 0;
    }
    if (state.bad <= patience) return;
    const lowered = Math.max(state.value * factor, minVal);
    if (state.value - lowered > epsilon) state.value = lowered;
    state.cooling = cooldown;
    state.bad = 0;
  };
  const name = monitoredName(metric);
  const steering: Steering = {
    name: check.where,
    metric: name,
    get mode() {
      return direction;
    },
    aim(names) {
      direction = directionOf(check.where, name, mode, names);
    },
    changesTraining: true,
    onFitStart({ trainer }) {
      if (trainer.step === 0) Object.assign(state, first);
    },
    onValidateEnd({ decides }, metrics) {
      if (!decides) return;
      observe(monitored(`${check.where}.metric`, name, metrics));
    },
    saveState: () => ({ ...state }),
    loadState(saved) {
      Object.assign(state, saved);
    },
  };
  return { at: () => state.value, totalIters: Infinity, steering };
}
