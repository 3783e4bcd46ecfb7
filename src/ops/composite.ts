// Composites: functions of ops, whose gradients are free. Their formulas are part of the meaning too.
import { refuse, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { axisKind, biasKind, number, takes, tensor } from "./arguments.ts";
import { add, div, exp, log, mul, stopGradient, sub, where } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { swapAxes } from "./movement.ts";
import { bernoulli, checkProbability } from "./random.ts";
import { max, sum } from "./reduce.ts";

/** eˣ ÷ Σ eˣ along an axis, the last unless given, after subtracting the maximum (no gradient through it). @torch torch.softmax */
export function softmax(x: Node, axis = -1): Node {
  const shifted = exp(sub(x, stopGradient(max(x, { axis, keepDims: true }))));
  return div(shifted, sum(shifted, { axis, keepDims: true }));
}

/** (x − max) − log Σ e^(x − max) along an axis, the last unless given. @torch torch.log_softmax */
export function logSoftmax(x: Node, axis = -1): Node {
  const shifted = sub(x, stopGradient(max(x, { axis, keepDims: true })));
  return sub(shifted, log(sum(exp(shifted), { axis, keepDims: true })));
}

/** Zeroes each element with probability p and scales the rest by fround(1 ÷ (1 − p)) (Srivastava et al. 2014); p = 1: zeros. One draw an element. @torch torch.nn.functional.dropout */
export function dropout(x: Node, p: number): Node {
  checkProbability("dropout", p);
  const keep = bernoulli(x.shape, 1 - p);
  return p === 1 ? where(keep, x, 0) : where(keep, mul(x, Math.fround(1 / (1 - p))), 0);
}

/** x·Wᵀ + bias. x: [..., in], weight: [out, in], bias: [out] → [..., out]. @torch torch.nn.functional.linear */
export function linear(x: Node, weight: Node, bias?: Node): Node {
  const [width] = weight.shape.slice(1);
  const isMatrix = weight.shape.length === 2;
  if (!isMatrix || x.shape.at(-1) !== width) {
    const expected = isMatrix ? `[..., ${width}]` : "[..., inputs], and a weight of [outputs, inputs]";
    const got = `${formatShape(x.shape)}, and a weight of ${formatShape(weight.shape)}`;
    refuse(ShapeError, "linear", "the last axis isn't as wide as the weight's rows", got, expected);
  }
  const out = matmul(x, swapAxes(weight));
  return bias ? add(out, bias) : out;
}

takes({ softmax, logSoftmax }, { x: tensor, "axis?": axisKind });
takes({ dropout }, { x: tensor, p: number }, "whether it is training is the layer's business: nn.dropout(p)");
takes({ linear }, { x: tensor, weight: tensor, "bias?": biasKind });
