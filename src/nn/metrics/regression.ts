// Metrics of numbers: how far outputs are from targets of their shape, over all samples.
import { concat, full, maximum, mean, sum } from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { targetsLike } from "../losses/loss.ts";
import type { Batch } from "../module.ts";
import { type Metric, metricOf, share } from "./metric.ts";

/** Outputs less targets, and these: of one shape. Throws ShapeError for others. */
function apart(where: string, outputs: Tensor, batch: Batch): { difference: Tensor; targets: Tensor } {
  const targets = targetsLike(`metrics.${where}`, outputs, batch);
  return { difference: outputs.sub(targets), targets };
}

/** A mean over all elements, and what is made of it. */
const meanOf = (
  name: string,
  term: (difference: Tensor, targets: Tensor) => Tensor,
  value?: (mean: number) => number,
): (() => Metric) => {
  const parts = (outputs: Tensor, batch: Batch) => {
    const { difference, targets } = apart(name, outputs, batch);
    return [sum(term(difference, targets)), targets.size] as const;
  };
  return metricOf(name, share("min", parts, value));
};

/** The mean of |output − target|. outputs, targets: one shape. ≥ 0. */
export const mae = meanOf("mae", (difference) => difference.abs());

/** √ of the mean of (output − target)², over all samples and not batch by batch. outputs, targets: one shape. ≥ 0. */
export const rmse = meanOf("rmse", (difference) => difference.mul(difference), Math.sqrt);

/** The mean of |output − target| ÷ |target|, a target nearer to 0 than 1.17·10⁻⁶ counting as that (torchmetrics'): a share, not a percentage. outputs, targets: one shape. ≥ 0. */
export const mape = meanOf("mape", (difference, targets) => difference.abs().div(maximum(targets.abs(), 1.17e-6)));

/**
 * 1 − Σ(output − target)² ÷ Σ(target − mean target)², over all samples; of several outputs a sample the mean of each one's (scikit-learn's r2_score). Squares are summed about each batch's own mean and put together in
 * float64 (Chan et al. 1979), so that a large mean costs no digits. Where targets are all alike it is 1 if they are met, and 0 if not. outputs, targets: [batch, ...].
 */
export const r2 = metricOf("r2", {
  mode: "max",
  collects: true,
  terms: (outputs, batch) => {
    const { difference, targets } = apart("r2", outputs, batch);
    const rows = targets.shape[0] ?? 1;
    const [columns, misses] = [targets, difference].map((x) => x.reshape([rows, x.size / rows]));
    const means = mean(columns, 0);
    const centred = columns.sub(means);
    const head = [full([1], means.size), full([1], rows)];
    return concat([...head, means, sum(centred.mul(centred), 0), sum(misses.mul(misses), 0)]);
  },
  value: (terms) => {
    const width = terms[0];
    const size = 2 + 3 * width;
    const scores = Array.from({ length: width }, (_, column) => {
      let [count, average, spread, missed] = [0, 0, 0, 0];
      for (let at = 0; at < terms.length; at += size) {
        const [rows, own] = [terms[at + 1], terms[at + 2 + column]];
        const [delta, all] = [own - average, count + rows];
        spread += terms[at + 2 + width + column] + (delta * delta * count * rows) / all;
        average += (delta * rows) / all;
        count = all;
        missed += terms[at + 2 + 2 * width + column];
      }
      return spread === 0 ? Number(missed === 0) : 1 - missed / spread;
    });
    return scores.reduce((total, score) => total + score, 0) / width;
  },
});
