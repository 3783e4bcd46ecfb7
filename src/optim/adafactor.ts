// Adafactor: Adam's second moment of a matrix from its rows' and columns' means alone.
import { flag, fraction, type Given, nonNegative, numberOf, options, positive, tuple } from "../core/options.ts";
import { power } from "../core/real.ts";
import { maker } from "../core/things.ts";
import { zeros } from "../tensor/creation.ts";
import { div, maximum, mean, mul, sqrt } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { decaying, optimizerFields, type ParameterGroup, type Update, type Updated } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";

const record = options("Adafactor", {
  ...optimizerFields,
  /** Added to the squared gradient; and the least root mean square of a parameter that the rate is scaled by. */
  epsilons: tuple("two numbers ≥ 0", nonNegative, nonNegative).default([1e-30, 1e-3]),
  /** d: an update's root mean square is clipped to it. */
  clipThreshold: positive.default(1),
  /** The second moment's decay at step t is 1 − t to this power; in [−1, 0). */
  decayRate: numberOf("a number in [-1, 0)", { least: -1, below: 0 }).default(-0.8),
  /** Of a first moment of the updates, in [0, 1); none is kept where it is left out. */
  beta1: fraction.optional(),
  /** Multiplies the rate by the parameter's root mean square. */
  scaleParameter: flag.default(true),
  /** The rate at step t is the lesser of learningRate and 1 ÷ √t. */
  relativeStep: flag.default(false),
});

export type AdafactorOptions = Given<typeof record>;

const rootMeanSquare = (x: Tensor): Tensor => sqrt(mean(mul(x, x)));

/**
 * q = g² + ε₁, β = 1 − t^decayRate; with two axes or more, over the last two: R ← β·R + (1 − β)·mean q by rows, C alike by columns, v = R·C ÷ mean R; else v ← β·v + (1 − β)·q; u = g ÷
 * √v, u ← u ÷ max(1, RMS(u) ÷ d); with β₁: m ← β₁·m + (1 − β₁)·u, u = m; p ← p·(1 − rate·decay) − rate·max(ε₂, RMS(p))·u (Shazeer & Stern 2018, algorithm 4; RMS(p) of the weights
 * before the step). The decoupled decay is by the rate alone. Slots: row and column, or v; with β₁ m.
 */
export class Adafactor extends optimizing(record, ({ beta1 = 0 }) => ({
  slots: ({ shape }) => ({
    ...(shape.length >= 2
      ? { row: zeros(shape.slice(0, -1)), column: zeros([...shape.slice(0, -2), shape[shape.length - 1]]) }
      : { v: zeros(shape) }),
    ...(beta1 > 0 && { m: zeros(shape) }),
  }),
  decay: "own",
})) {
  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    const { relativeStep, decayRate } = this.options;
    const rate = () => (relativeStep ? Math.min(group.learningRate, 1 / Math.sqrt(this.steps)) : group.learningRate);
    const fresh = () => power(this.steps, decayRate);
    return {
      learningRate: rate,
      kept: () => 1 - fresh(),
      fresh,
      ...(decaying(group) && { shrinking: () => 1 - rate() * group.weightDecay }),
    };
  }

  protected override rule({ parameter, gradient, slots, scalars, decays }: Update): Updated {
    const { epsilons, clipThreshold, scaleParameter, beta1 = 0 } = this.options;
    const square = gradient.mul(gradient).add(epsilons[0]);
    const average = (slot: Tensor, value: Tensor) => slot.mul(scalars.kept).add(value.mul(scalars.fresh));
    const next: Record<string, Tensor> = {};
    if (slots.v) next.v = average(slots.v, square);
    else {
      next.row = average(slots.row, mean(square, { axis: -1 }));
      next.column = average(slots.column, mean(square, { axis: -2 }));
    }
    const scaled = slots.v ? gradient.div(sqrt(next.v)) : gradient.div(sqrt(factored(next.row, next.column)));
    let update = scaled.div(maximum(rootMeanSquare(scaled).div(clipThreshold), 1));
    if (slots.m) {
      next.m = slots.m.mul(beta1).add(update.mul(1 - beta1));
      update = next.m;
    }
    const rate = scaleParameter
      ? scalars.learningRate.mul(maximum(rootMeanSquare(parameter), epsilons[1]))
      : scalars.learningRate;
    const shrunk = decays ? parameter.mul(scalars.shrinking) : parameter;
    return { parameter: shrunk.sub(update.mul(rate)), slots: next };
  }
}

/** R·C ÷ mean R. row: [..., n], column: [..., m] → [..., n, m]. */
function factored(row: Tensor, column: Tensor): Tensor {
  const rows = div(row, mean(row, { axis: -1, keepDims: true }));
  return rows
    .reshape([...row.shape, 1])
    .mul(column.reshape([...column.shape.slice(0, -1), 1, column.shape[column.rank - 1]]));
}

/** Adafactor with decoupled decay (default 0). */
export const adafactor = maker(record, Adafactor);
