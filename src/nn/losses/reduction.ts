// What a loss makes of its terms, one for each thing to compare: their mean, their sum or themselves, each times its sample's weight where the batch has some.
import { ConfigError, refuse, ShapeError, showValue } from "../../core/errors.ts";
import { type Read, word } from "../../core/options.ts";
import { formatShape, type Shape, sameShape } from "../../core/shape.ts";
import { type Node, reachable } from "../../graph/node.ts";
import { cast, mean, sum } from "../../tensor/families/basic.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Batch } from "../module.ts";

export const reductionFields = {
  /** The terms' mean, their sum, or `none`: each by itself, for a program that goes on with them. */
  reduction: word("mean", "sum", "none").default("mean"),
} as const;

export type Reducing = Read<{ readonly fields: typeof reductionFields }>;

/** The batch's `sampleWeights` as float32, with axes of 1 up to the terms' rank. Throws ShapeError unless their shape is that of the terms' first axes. */
function sampleWeights(where: string, batch: Batch | Tensor, shape: Shape): Tensor | undefined {
  const weights = batch instanceof Tensor ? undefined : batch.sampleWeights;
  if (weights === undefined) return undefined;
  if (!(weights instanceof Tensor))
    refuse(ConfigError, where, "the batch's sample weights aren't a tensor", showValue(weights), "a tensor");
  if (weights.rank === 0 || !sameShape(weights.shape, shape.slice(0, weights.rank))) {
    const problem = "sample weights of another shape than the loss's terms";
    const got = `${formatShape(weights.shape)} for terms of ${formatShape(shape)}`;
    refuse(ShapeError, where, problem, got, "a weight for each sample, or for each term");
  }
  return cast(weights, "float32").reshape([...weights.shape, ...shape.slice(weights.rank).map(() => 1)]);
}

/** How terms stand, where that isn't told by themselves. */
interface Terms {
  /** What their shape is, if they come in another. */
  readonly shape?: Shape;
  /** What a mean's sum is divided by, if not by their number: [] float32; none unless a mean is asked for. */
  readonly whole?: Tensor;
}

/** A loss out of its terms. Sample weights multiply the terms alone: twice the weights are twice the loss, as in Keras. */
export function reduced(
  where: string,
  terms: Tensor,
  batch: Batch | Tensor,
  reduction: Reducing["reduction"],
  { shape = terms.shape, whole }: Terms = {},
): Tensor {
  const weights = sampleWeights(where, batch, shape);
  const moved = (weights || reduction === "none") && !sameShape(terms.shape, shape);
  const each = moved ? terms.reshape(shape) : terms;
  const weighted = weights ? each.mul(weights) : each;
  if (reduction === "none") return weighted;
  if (whole) return sum(weighted).div(whole);
  return reduction === "mean" ? mean(weighted) : sum(weighted);
}

/** What means of losses were divided by where it isn't the number of their terms: whoever adds up those of several batches weighs them by it. */
const counts = /* @__PURE__ */ new WeakMap<Node, Tensor>();

/** A loss whose mean was divided by `count`, if by one. */
export function countedBy(count: Tensor | undefined, loss: Tensor): Tensor {
  if (count) counts.set(loss.node, count);
  return loss;
}

/** What a loss was divided by, where it isn't the number of its terms. */
export const countOf = (loss: Tensor): Tensor | undefined => counts.get(loss.node);

/** Whether such a loss is a part of another. */
export const hasCounted = (loss: Tensor): boolean => reachable([loss.node]).some((node) => counts.has(node));
