// A value that is lowered when a validated number stops getting better: not a function of the step alone, so validation is part of such a run,
// and what it has seen is part of a checkpoint.
import { isRecord } from "../../core/arguments.ts";
import { CheckpointError, refuse, showValue } from "../../core/errors.ts";
import { countOf, fraction, nonNegative, type Read, text, word } from "../../core/options.ts";
import { Monitor } from "../monitored.ts";
import { type Check, closedForm, type Form, learningRate, type MetricDriven, weightDecay } from "./schedule.ts";

interface State {
  value: number;
  best: number | null;
  /** Validations since the best. */
  bad: number;
  cooling: number;
}

const fields = {
  /** The first value. */
  initialVal: nonNegative,
  /** The validated number. */
  metric: text.default("loss"),
  /** Whether less or more of it is better: by default what its loss or metric says; a metric that doesn't say needs it. */
  mode: word("min", "max").optional(),
  /** What the value is multiplied by, in [0, 1). */
  factor: fraction.default(0.1),
  /** Validations without an improvement that are borne. */
  patience: countOf("validations", 0).default(10),
  /** What counts as an improvement: by this part of the best (`rel`), or by this much (`abs`). */
  threshold: nonNegative.default(1e-4),
  /** Whether `threshold` is a part of the best or an amount. */
  thresholdMode: word("rel", "abs").default("rel"),
  /** Validations after a change that don't count. */
  cooldown: countOf("validations", 0).default(0),
  /** The least value. */
  minVal: nonNegative.default(0),
  /** A smaller change isn't made. */
  epsilon: nonNegative.default(1e-8),
} as const;

/** v ← max(factor·v, minVal) after more than `patience` validations in a row without an improvement (PyTorch's ReduceLROnPlateau). Its state is in checkpoints; a run begins with it anew. */
function steered(options: Read<{ readonly fields: typeof fields }>, check: Check): Form {
  const { initialVal, metric, mode, factor, patience, threshold, thresholdMode, cooldown, minVal, epsilon } = options;
  const first: State = { value: initialVal, best: null, bad: 0, cooling: 0 };
  const state = { ...first };
  const monitor = new Monitor(check.where, { metric, mode, minDelta: 0 });

  const improves = (value: number, best: number) => {
    const sign = monitor.mode === "min" ? -1 : 1;
    const bar = thresholdMode === "rel" ? best * (1 + sign * threshold) : best + sign * threshold;
    return monitor.better(value, bar);
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
  const steering: MetricDriven = {
    name: check.where,
    metric: monitor.metric,
    get mode() {
      return monitor.mode;
    },
    aim: (names) => monitor.aim(names),
    changesTraining: true,
    onFitStart({ trainer }) {
      if (trainer.step === 0) Object.assign(state, first);
    },
    onValidateEnd({ decides }, metrics) {
      if (decides) observe(monitor.read(metrics));
    },
    saveState: () => ({ ...state }),
    loadState(saved) {
      for (const key of Object.keys(first)) {
        const value = isRecord(saved) ? saved[key] : undefined;
        if (typeof value === "number" || (key === "best" && value === null)) continue;
        refuse(CheckpointError, `${check.where}: ${key}`, "not what its state holds", showValue(value), "a number");
      }
      Object.assign(state, saved);
    },
  };
  return { at: () => state.value, totalIters: Infinity, steering };
}
const reduceOnPlateau = closedForm("ReduceOnPlateau", fields, steered);
/** Lowered when a validated number stops getting better: validation is part of such a run. */
export const reduceOnPlateauLR = learningRate(reduceOnPlateau);
/** As `reduceOnPlateauLR`, of the weight decay. */
export const reduceOnPlateauWD = weightDecay(reduceOnPlateau);
