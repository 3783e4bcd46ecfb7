// Composites: functions of ops, whose gradients are free. Their formulas are part of the meaning too.
import { number } from "../core/arguments.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape, sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { axis, bias as biasKind, takes, tensor } from "./arguments.ts";
import { add, div, exp, log, mul, neg, stopGradient, sub, where } from "./elementwise.ts";
import { gather } from "./gather.ts";
import { matmul } from "./matmul.ts";
import { reshape, swapAxes } from "./movement.ts";
import { checkProbability, keepMask } from "./random.ts";
import { max, mean, sum } from "./reduce.ts";

/** eˣ ÷ Σ eˣ along an axis, after subtracting the maximum (no gradient through it). @torch torch.softmax */
export function softmax(x: Node, axis = -1): Node {
  const shifted = exp(sub(x, stopGradient(max(x, { axis, keepDims: true }))));
  return div(shifted, sum(shifted, { axis, keepDims: true }));
}

/** (x − max) − log Σ e^(x − max) along an axis. @torch torch.log_softmax */
export function logSoftmax(x: Node, axis = -1): Node {
  const shifted = sub(x, stopGradient(max(x, { axis, keepDims: true })));
  return sub(shifted, log(sum(exp(shifted), { axis, keepDims: true })));
}

/** Mean over all samples of −logSoftmax(logits)[target]. logits: [..., classes] float32, targets: [...] int32 → []. A target out of range is an error when run. @torch torch.nn.functional.cross_entropy */
export function crossEntropy(logits: Node, targets: Node): Node {
  const classes = logits.shape[logits.shape.length - 1];
  if (formatShape(logits.shape.slice(0, -1)) !== formatShape(targets.shape) || logits.shape.length === 0) {
    throw new ShapeError({
      where: "crossEntropy",
      problem: "a target for each row of logits",
      got: `${formatShape(logits.shape)} and ${formatShape(targets.shape)}`,
      expected: "[..., classes] and [...]",
    });
  }
  if (targets.dtype !== "int32")
    throw new DTypeError({
      where: "crossEntropy",
      problem: "targets aren't class numbers",
      got: targets.dtype,
      expected: "int32",
      hint: 'cast first, as in targets.cast("int32")',
    });
  const rows = sizeOf(targets.shape);
  const picked = gather(logSoftmax(reshape(logits, [rows, classes])), reshape(targets, [rows, 1]), 1);
  return neg(mean(picked));
}

/** Mean of (prediction − target)². Throws ShapeError unless both have one shape: a broadcast here is a slip. @torch torch.nn.functional.mse_loss */
export function mse(prediction: Node, target: Node): Node {
  if (!sameShape(prediction.shape, target.shape)) {
    throw new ShapeError({
      where: "mse",
      problem: "a target for each prediction",
      got: `${formatShape(prediction.shape)} and ${formatShape(target.shape)}`,
      expected: "one shape",
      hint: "reshape one of them, as in targets.reshape(outputs.shape)",
    });
  }
  const difference = sub(prediction, target);
  return mean(mul(difference, difference));
}

/** Zeroes each element with probability p and scales the rest by fround(1 ÷ (1 − p)) (Srivastava et al. 2014); p = 1: zeros. One draw an element. @torch torch.nn.functional.dropout */
export function dropout(x: Node, p: number): Node {
  checkProbability("dropout", p);
  const keep = keepMask(x.shape, p);
  return p === 1 ? where(keep, x, 0) : where(keep, mul(x, Math.fround(1 / (1 - p))), 0);
}

/** x·Wᵀ + bias. x: [..., in], weight: [out, in], bias: [out] → [..., out]. @torch torch.nn.functional.linear */
export function linear(x: Node, weight: Node, bias?: Node): Node {
  const out = matmul(x, swapAxes(weight));
  return bias ? add(out, bias) : out;
}

takes({ softmax, logSoftmax }, { x: tensor, "axis?": axis });
takes({ crossEntropy }, { logits: tensor, targets: tensor }, "options are those of losses.crossEntropy");
takes({ mse }, { prediction: tensor, target: tensor });
takes({ dropout }, { x: tensor, p: number }, "whether it is training is the layer's business: nn.dropout(p)");
takes({ linear }, { x: tensor, weight: tensor, "bias?": biasKind });
