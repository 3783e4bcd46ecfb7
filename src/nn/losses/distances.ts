// Losses of numbers: how far outputs are from targets of their shape, given alone or as `batch.targets`.
import { type Given, options, positive } from "../../core/options.ts";
import * as functions from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Batch } from "../module.ts";
import { lossOf, targetsLike } from "./loss.ts";
import { reduced, reductionFields } from "./reduction.ts";

const differences = (where: string, outputs: Tensor, batch: Batch | Tensor) =>
  outputs.sub(targetsLike(where, outputs, batch));

const mseRecord = options("mse", "losses.mse", reductionFields);
export type MseOptions = Given<typeof mseRecord>;

/** (output − target)²; targets of the outputs' shape, given alone or as `batch.targets`. */
export const mse = lossOf(mseRecord, (outputs, batch, { reduction }) => {
  const difference = differences(mseRecord.where, outputs, batch);
  return reduced(mseRecord.where, difference.mul(difference), batch, reduction);
});

const l1Record = options("l1", "losses.l1", reductionFields);
export type L1Options = Given<typeof l1Record>;

/** |output − target|; targets of the outputs' shape, given alone or as `batch.targets`. */
export const l1 = lossOf(l1Record, (outputs, batch, { reduction }) =>
  reduced(l1Record.where, differences(l1Record.where, outputs, batch).abs(), batch, reduction),
);

const smoothRecord = options("smooth_l1", "losses.smoothL1", {
  /** Where the square becomes a line. */
  beta: positive.default(1),
  ...reductionFields,
});
export type SmoothL1Options = Given<typeof smoothRecord>;

/** ½·d² ÷ β where |d| < β, else |d| − ½·β (Girshick 2015), d = output − target; β > 0, default 1. */
export const smoothL1 = lossOf(smoothRecord, (outputs, batch, { beta, reduction }) => {
  const size = differences(smoothRecord.where, outputs, batch).abs();
  const square = size.mul(size).mul(0.5).div(beta);
  const terms = functions.where(functions.less(size, beta), square, size.sub(0.5 * beta));
  return reduced(smoothRecord.where, terms, batch, reduction);
});

const huberRecord = options("huber", "losses.huber", {
  /** Where the square becomes a line. */
  delta: positive.default(1),
  ...reductionFields,
});
export type HuberOptions = Given<typeof huberRecord>;

/** ½·d² where |d| ≤ δ, else δ·(|d| − ½·δ) (Huber 1964), d = output − target; δ > 0, default 1. */
export const huber = lossOf(huberRecord, (outputs, batch, { delta, reduction }) => {
  const size = differences(huberRecord.where, outputs, batch).abs();
  const line = size.sub(0.5 * delta).mul(delta);
  const terms = functions.where(functions.lessEqual(size, delta), size.mul(size).mul(0.5), line);
  return reduced(huberRecord.where, terms, batch, reduction);
});
