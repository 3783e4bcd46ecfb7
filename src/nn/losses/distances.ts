// Losses of numbers: how far outputs are from targets of their shape, given alone or as `batch.targets`.
import { type Given, positive } from "../../core/options.ts";
import { greater, greaterEqual, where } from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { lossOfPairs, lossOptions } from "./loss.ts";

const mseRecord = lossOptions("mse", "losses.mse", {});
export type MseOptions = Given<typeof mseRecord>;

/** (output − target)²; targets of the outputs' shape, given alone or as `batch.targets`. */
export const mse = lossOfPairs(mseRecord, (outputs, targets) => {
  const difference = outputs.sub(targets);
  return difference.mul(difference);
});

const l1Record = lossOptions("l1", "losses.l1", {});
export type L1Options = Given<typeof l1Record>;

/** |output − target|; targets of the outputs' shape, given alone or as `batch.targets`. */
export const l1 = lossOfPairs(l1Record, (outputs, targets) => outputs.sub(targets).abs());

/** ½·d², 0 where it isn't what counts: an infinite d would make a NaN of its gradient. A NaN is never far, and has one. */
function square(difference: Tensor, isFar: Tensor): Tensor {
  const near = where(isFar, 0, difference);
  return near.mul(near).mul(0.5);
}

const smoothRecord = lossOptions("smooth_l1", "losses.smoothL1", {
  /** Where the square becomes a line. */
  beta: positive.default(1),
});
export type SmoothL1Options = Given<typeof smoothRecord>;

/** ½·d² ÷ β where |d| < β, else |d| − ½·β (Girshick 2015), d = output − target; β > 0, default 1. */
export const smoothL1 = lossOfPairs(smoothRecord, (outputs, targets, { beta }) => {
  const difference = outputs.sub(targets);
  const size = difference.abs();
  const isFar = greaterEqual(size, beta);
  return where(isFar, size.sub(0.5 * beta), square(difference, isFar).div(beta));
});

const huberRecord = lossOptions("huber", "losses.huber", {
  /** Where the square becomes a line. */
  delta: positive.default(1),
});
export type HuberOptions = Given<typeof huberRecord>;

/** ½·d² where |d| ≤ δ, else δ·(|d| − ½·δ) (Huber 1964), d = output − target; δ > 0, default 1. */
export const huber = lossOfPairs(huberRecord, (outputs, targets, { delta }) => {
  const difference = outputs.sub(targets);
  const size = difference.abs();
  const isFar = greater(size, delta);
  return where(isFar, size.sub(0.5 * delta).mul(delta), square(difference, isFar));
});
