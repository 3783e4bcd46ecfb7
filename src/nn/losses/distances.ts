// Losses of numbers: how far outputs are from targets of their shape, given alone or as `batch.targets`.
import { type Given, options, positive } from "../../core/options.ts";
import * as functions from "../../tensor/functions.ts";
import { lossOf, targetsLike, targetsOf } from "./loss.ts";

/** Mean of (output − target)²; targets of the outputs' shape, given alone or as `batch.targets`. */
export const mse = lossOf(options("mse", {}, "losses.mse"), (outputs, batch) =>
  functions.mse(outputs, targetsOf("losses.mse", batch)),
);

/** Mean of |output − target|; targets of the outputs' shape, given alone or as `batch.targets`. */
export const l1 = lossOf(options("l1", {}, "losses.l1"), (outputs, batch) =>
  functions.mean(outputs.sub(targetsLike("losses.l1", outputs, batch)).abs()),
);

const smoothRecord = options(
  "smooth_l1",
  {
    /** Where the square becomes a line. */
    beta: positive.default(1),
  },
  "losses.smoothL1",
);
export type SmoothL1Options = Given<typeof smoothRecord>;

/** Mean of ½·d² ÷ β where |d| < β, else |d| − ½·β (Girshick 2015), d = output − target; β > 0, default 1. */
export const smoothL1 = lossOf(smoothRecord, (outputs, batch, { beta }) => {
  const size = outputs.sub(targetsLike(smoothRecord.where, outputs, batch)).abs();
  const square = size.mul(size).mul(0.5).div(beta);
  return functions.mean(functions.where(functions.less(size, beta), square, size.sub(0.5 * beta)));
});

const huberRecord = options(
  "huber",
  {
    /** Where the square becomes a line. */
    delta: positive.default(1),
  },
  "losses.huber",
);
export type HuberOptions = Given<typeof huberRecord>;

/** Mean of ½·d² where |d| ≤ δ, else δ·(|d| − ½·δ) (Huber 1964), d = output − target; δ > 0, default 1. */
export const huber = lossOf(huberRecord, (outputs, batch, { delta }) => {
  const size = outputs.sub(targetsLike(huberRecord.where, outputs, batch)).abs();
  const line = size.sub(0.5 * delta).mul(delta);
  return functions.mean(functions.where(functions.lessEqual(size, delta), size.mul(size).mul(0.5), line));
});
