// Every error of src/ops: its class, what it says, and that its stack and the nodes' sites begin at the caller's line, in this file.
import { describe, expect, test } from "vitest";
import { DTypeError, SeedgradError, ShapeError } from "../../src/core/errors.ts";
import type { Node } from "../../src/graph/node.ts";
import { withTrace } from "../../src/graph/scope.ts";
import * as activations from "../../src/ops/activations.ts";
import { scaledDotProductAttention } from "../../src/ops/attention.ts";
import * as bits from "../../src/ops/bits.ts";
import * as compare from "../../src/ops/compare.ts";
import * as composite from "../../src/ops/composite.ts";
import * as creation from "../../src/ops/creation.ts";
import * as cumulative from "../../src/ops/cumulative.ts";
import { broadcastTo, defineOp, full } from "../../src/ops/define.ts";
import * as ops from "../../src/ops/elementwise.ts";
import * as indexed from "../../src/ops/gather.ts";
import * as counting from "../../src/ops/histogram.ts";
import { matmul } from "../../src/ops/matmul.ts";
import * as movement from "../../src/ops/movement.ts";
import * as norm from "../../src/ops/norm.ts";
import * as padding from "../../src/ops/pad.ts";
import * as parts from "../../src/ops/parts.ts";
import * as product from "../../src/ops/product.ts";
import * as random from "../../src/ops/random.ts";
import * as reduce from "../../src/ops/reduce.ts";
import * as sorting from "../../src/ops/sort.ts";
import * as vectorNorm from "../../src/ops/vector-norm.ts";

const f = (...shape: number[]) => creation.input(shape, "float32");
const i = (...shape: number[]) => creation.input(shape, "int32");
const b = (...shape: number[]) => creation.input(shape, "bool");
const u = (...shape: number[]) => creation.input(shape, "uint32");

/** The error of an attempt; its stack must begin here. */
function errorOf(attempt: () => unknown): SeedgradError {
  try {
    withTrace(attempt);
  } catch (error) {
    expect(error).toBeInstanceOf(SeedgradError);
    const frames = (error as Error).stack!.split("\n").filter((line) => /^\s+at /.test(line));
    expect(frames[0]).toMatch(/errors\.test\.ts:\d+:\d+/);
    return error as SeedgradError;
  }
  return expect.fail("nothing was thrown");
}

type Row = readonly [attempt: () => unknown, message: string | RegExp];

function each(kind: new (details: never) => SeedgradError, rows: Record<string, Row>): void {
  for (const [name, [attempt, message]] of Object.entries(rows)) {
    test(name, () => {
      const error = errorOf(attempt);
      expect(error.name).toBe(kind.name);
      expect(error).toBeInstanceOf(kind);
      if (typeof message === "string") expect(error.message).toBe(message);
      else expect(error.message).toMatch(message);
    });
  }
}

describe("shapes that don't fit: ShapeError", () => {
  each(ShapeError, {
    "two shapes that don't broadcast": [
      () => ops.add(f(2, 3), f(4)),
      "add: shapes don't broadcast: got [2, 3] and [4], expected extents equal or 1, aligned at the last axis",
    ],
    "an empty axis against a longer one": [() => ops.mul(f(0), f(2)), /^mul: shapes don't broadcast/],
    "where's branches": [() => ops.where(b(2), f(3), f(2)), /^where: shapes don't broadcast/],
    "where's condition": [() => ops.where(b(4), f(3), f(3)), /^where: shapes don't broadcast/],
    "broadcastTo a smaller shape": [
      () => broadcastTo(f(2, 3), [3]),
      "broadcastTo: the shape doesn't stretch to the target: got [2,3], expected a shape that broadcasts to [3]",
    ],
    "broadcastTo no shape": [() => broadcastTo(f(1), [-1]), /^broadcastTo: an extent is not a count: got \[-1\]/],
    "broadcastTo a fraction": [() => broadcastTo(f(1), [2.5]), /an extent is not a count/],
    "full of no shape": [
      () => full([2, -1], 0),
      /^full: an extent is not a count: got \[2, -1\], expected integers ≥ 0/,
    ],
    "full of too many": [() => full([2 ** 30, 2 ** 30], 0), /^full: too many elements/],
    "coordinate along no axis": [() => creation.coordinate([2, 3], 2), /^coordinate: axis out of range: got 2/],
    "coordinate of no shape": [() => creation.coordinate([2, NaN], 0), /an extent is not a count/],
    "a constant of another size": [
      () => creation.constant(new Float32Array(3), [2, 2], "float32"),
      /^tensor: the number of elements isn't the shape's: got 3, expected 4/,
    ],
    "ragged rows": [
      () => creation.fromValues([[1, 2], [3]]),
      "tensor: rows differ in length: got 1, expected 2 at depth 1",
    ],
    "a number beside a row": [
      () => creation.fromValues([[1], 2]),
      /^tensor: nesting isn't the same everywhere: got a number at depth 1/,
    ],
    "a row beside a number": [
      () => creation.fromValues([1, [2]]),
      /^tensor: nesting isn't the same everywhere: got an array at depth 1/,
    ],
    "an empty row beside a number": [() => creation.fromValues([[], 1]), /nesting isn't the same everywhere/],
    "arange without end": [
      () => creation.arange(0, Infinity),
      /^arange: not a range: got start 0, stop Infinity, step 1/,
    ],
    "arange without a step": [() => creation.arange(0, 5, { step: 0 }), /^arange: not a range/],
    "eye of no count": [() => creation.eye(-1), /an extent is not a count/],
    "one-hot of no depth": [() => creation.oneHot(i(2), 1.5), /an extent is not a count/],
    "reshape to another size": [
      () => movement.reshape(f(2, 3), [4]),
      "reshape: the number of elements would change: got [2, 3] to [4], expected a shape of 6 elements",
    ],
    "flip of an axis twice": [() => movement.flip(f(2, 3), [0, -2]), /^flip: an axis is named twice: got \[0, -2\]/],
    "reshape of nothing to any extent": [() => movement.reshape(f(0), [0, -1]), /^reshape: .* got \[0\] to \[0, -1\]/],
    "reshape with a free axis that doesn't divide": [
      () => movement.reshape(f(5), [2, -1]),
      /the number of elements would change/,
    ],
    "reshape with two free axes": [() => movement.reshape(f(4), [-1, -1]), /the number of elements would change/],
    "reshape to a negative extent": [() => movement.reshape(f(4), [-2, -2]), /the number of elements would change/],
    "transpose by too few axes": [
      () => movement.transpose(f(2, 3), [0]),
      /^transpose: not a permutation of the axes: got \[0\]/,
    ],
    "transpose by one axis twice": [() => movement.transpose(f(2, 3), [1, -1]), /^transpose: not a permutation/],
    "transpose by no axis": [() => movement.transpose(f(2, 3), [0, 2]), /^transpose: axis out of range: got 2/],
    "swapAxes of a vector": [() => movement.swapAxes(f(3)), /^swapAxes: axis out of range: got -2/],
    "more slices than axes": [
      () => movement.slice(f(3), [null, null]),
      /^slice: more ranges than axes: got 2, expected at most 1/,
    ],
    "slice at an index outside": [
      () => movement.slice(f(3), [3]),
      /^slice: index out of range on axis 0: got 3, expected an integer in \[-3, 2\]/,
    ],
    "slice at a fraction": [() => movement.slice(f(3), [0.5]), /index out of range/],
    "slice with a step of 0": [
      () => movement.slice(f(3), [[0, 3, 0]]),
      /^slice: not a range: got \[0, 3, 0\] on axis 0/,
    ],
    "slice with half a range": [() => movement.slice(f(3), [[1] as never]), /^slice: not a range/],
    "slice with an endless step": [() => movement.slice(f(3), [[0, 3, Infinity]]), /^slice: not a range/],
    "flip along no axis": [() => movement.flip(f(3), 1), /^flip: axis out of range: got 1/],
    "pad by too few pairs": [() => padding.pad(f(2, 3), [[1, 1]]), /^pad: not an amount for each side of each axis/],
    "pad by less than nothing": [() => padding.pad(f(2), [[-1, 0]]), /^pad: not an amount/],
    "pad by half": [() => padding.pad(f(2), [[0.5, 0]]), /^pad: not an amount/],
    "pad to too many": [
      () => padding.pad(f(2), [[2 ** 53, 0]]),
      /^pad: (not an amount|an extent is not a count|too many)/,
    ],
    "concat of nothing": [() => movement.concat([]), /^concat: nothing to join/],
    "concat of rows that don't line up": [
      () => movement.concat([f(2, 3), f(2, 4)], 0),
      "concat: parts don't line up: got float32[2, 4], expected float32[2, 3] but for axis 0",
    ],
    "concat of other ranks": [() => movement.concat([f(2, 3), f(2)], 0), /^concat: parts don't line up/],
    "concat of scalars": [() => movement.concat([f(), f()]), /^concat: axis out of range/],
    "stack of other shapes": [() => movement.stack([f(2), f(3)]), /^concat: parts don't line up/],
    "stack along no axis": [
      () => movement.stack([f(2)], 2),
      /^stack: axis out of range: got 2, expected an integer in \[-2, 1\]/,
    ],
    "matmul of depths that differ": [
      () => matmul(f(2, 3), f(4, 5)),
      /^matmul: depths differ: got \[2, 3\] and \[4, 5\], expected the last axis of the left/,
    ],
    "matmul of a scalar": [() => matmul(f(), f(2)), /^matmul: a scalar has no rows[\s\S]*Hint: use mul$/],
    "matmul of batches that don't broadcast": [() => matmul(f(2, 3, 4), f(3, 4, 5)), /^matmul: shapes don't broadcast/],
    "sum over no axis": [
      () => reduce.sum(f(2, 3), { axis: 2 }),
      /^sum: axis out of range: got 2, expected an integer in \[-2, 1\]/,
    ],
    "sum over an axis of a scalar": [() => reduce.sum(f(), { axis: 0 }), /no axis: the tensor is a scalar/],
    "sum over one axis twice": [
      () => reduce.sum(f(2, 3), { axis: [1, -1] }),
      "sum: an axis is named twice: got [1, -1], expected each axis once",
    ],
    "mean over no axis": [() => reduce.mean(f(2), { axis: 1 }), /^mean: axis out of range/],
    "mean of nothing": [() => reduce.mean(f(0, 2), { axis: 0 }), /^mean: nothing to reduce: got \[0, 2\] over \[0\]/],
    "max of nothing": [
      () => reduce.max(f(0)),
      "max: nothing to reduce: got [0] over [0], expected at least one element",
    ],
    "min of nothing": [() => reduce.min(f(2, 0)), /^min: nothing to reduce/],
    "argmax of nothing": [() => reduce.argmax(f(0)), /^argmax: nothing to reduce/],
    "argmin of nothing": [() => reduce.argmin(f(0)), /^argmin: nothing to reduce/],
    "variance of as many as its correction": [
      () => reduce.variance(f(2), { correction: 2 }),
      "variance: nothing is left of the count: got 2 elements, correction 2, expected a correction below their number",
    ],
    "norm of no such order": [
      () => vectorNorm.norm(f(2), { p: Number.NaN }),
      /^norm: no such norm: got NaN, expected a number p$/,
    ],
    "prod over no axis": [() => product.prod(f(2), 1), /^prod: axis out of range/],
    "logSumExp of nothing": [() => reduce.logSumExp(f(0)), /^logSumExp: nothing to reduce/],
    "cumsum of a scalar": [
      () => cumulative.cumsum(f()),
      /^cumsum: axis out of range: got -1, expected no axis: the tensor is a scalar/,
    ],
    "cummax along no axis": [() => cumulative.cummax(f(2), 1), /^cummax: axis out of range/],
    "sort along no axis": [() => sorting.sort(f(2), 1), /^sort: axis out of range/],
    "topK of more than there are": [
      () => sorting.topK(f(2, 3), 4),
      "topK: not so many elements: got 4, expected an integer in [0, 3]",
    ],
    "median of nothing": [() => sorting.median(f(0)), /^median: nothing to reduce: got \[0\]/],
    "quantile of no quantile": [() => sorting.quantile(f(2), 1.5), /^quantile: not a quantile: got 1.5/],
    "searchSorted in other lines": [
      () => sorting.searchSorted(f(2, 3), f(3, 2)),
      "searchSorted: lines and values don't fit: got [2, 3] and [3, 2], expected [n] and any shape, or [..., n] and [..., m]",
    ],
    "searchSorted in a scalar": [() => sorting.searchSorted(f(), f(2)), /^searchSorted: lines and values don't fit/],
    "bincount without a weight each": [
      () => counting.bincount(i(3), 4, f(2)),
      "bincount: a weight for each element: got [3] and [2], expected one shape",
    ],
    "histogram without bins": [() => counting.histogram(f(3), { bins: 0 }), /^histogram: no such bins/],
    "histogram of no range": [
      () => counting.histogram(f(3), { range: [2, 1] }),
      "histogram: no such bins: got 10 in [2,1], expected at least one, in a finite range [low, high], or edges alone, two or more float32 that ascend",
    ],
    "histogram of edges that don't ascend": [
      () => counting.histogram(f(3), { bins: [0, 1, 1] }),
      /^histogram: no such bins: got \[0,1,1\], expected/,
    ],
    "histogram of edges and a range": [
      () => counting.histogram(f(3), { bins: [0, 1], range: [0, 1] }),
      /^histogram: no such bins: got \[0,1\], and a range \[0,1\]/,
    ],
    "repeatInterleave by another number of counts": [
      () => parts.repeatInterleave(f(3), [1, 2], 0),
      /^repeatInterleave: not a number for each point: got 2, expected 3/,
    ],
    "variance of nothing": [() => reduce.variance(f(0)), /nothing to reduce/],
    "gather with shapes that differ beside the axis": [
      () => indexed.gather(f(4, 3), i(5, 2), 0),
      "gather: shapes differ beside the axis: got [4, 3] and [5, 2], expected the same extents but for axis 0",
    ],
    "gather of other ranks": [() => indexed.gather(f(4, 3), i(5), 0), /^gather: shapes differ/],
    "gather along no axis": [() => indexed.gather(f(4), i(4), 1), /^gather: axis out of range/],
    "take from a scalar": [() => indexed.take(f(), i(2)), /^take: a scalar has no rows/],
    "scatterAdd without an index for each update": [
      () => indexed.scatterAdd(i(3), f(4), 0, 5),
      "scatterAdd: an index for each update: got [3] and [4], expected one shape",
    ],
    "scatterAdd into no size": [() => indexed.scatterAdd(i(3), f(3), 0, -1), /^scatterAdd: an extent is not a count/],
    "scatterAdd along no axis": [() => indexed.scatterAdd(i(3), f(3), 1, 2), /^scatterAdd: axis out of range/],
    "uniform of no shape": [() => random.uniform([-1]), /^uniform: an extent is not a count/],
    "normal of no shape": [() => random.normal([0.5]), /^normal: an extent is not a count/],
    "bernoulli of no probability": [
      () => random.bernoulli([2], 1.5),
      "bernoulli: not a probability: got 1.5, expected a number in [0, 1]",
    ],
    "bernoulli of NaN": [() => random.bernoulli([2], NaN), /not a probability/],
    "bernoulli of no shape": [() => random.bernoulli([-2], 0.5), /an extent is not a count/],
    "dropout of no probability": [() => composite.dropout(f(2), 2), /^dropout: not a probability: got 2/],
    "dropout of text": [() => composite.dropout(f(2), "0.5" as never), /not a probability/],
    "uniform of nothing": [
      () => random.uniform([2], 1, 1),
      "uniform: not a range of float32: got [1, 1), expected finite numbers, low < high, and high − low at most 3.4e38, all as float32\nHint: for one number everywhere use full",
    ],
    "uniform of nothing that float32 tells apart": [() => random.uniform([2], 1, 1 + 1e-9), /not a range of float32/],
    "uniform backwards": [() => random.uniform([2], 1, 0), /not a range of float32: got \[1, 0\)/],
    "uniform from NaN": [() => random.uniform([2], NaN, 1), /not a range of float32/],
    "uniform to NaN": [() => random.uniform([2], 0, NaN), /not a range of float32/],
    "uniform to infinity": [() => random.uniform([2], 0, Infinity), /not a range of float32/],
    "uniform from infinity": [() => random.uniform([2], -Infinity, 0), /not a range of float32/],
    "uniform beyond float32": [() => random.uniform([2], 0, 1e39), /not a range of float32/],
    "uniform wider than float32": [() => random.uniform([2], -3e38, 3e38), /not a range of float32/],
    "uniform from text": [() => random.uniform([2], "0" as never, 1), /not a range of float32/],
    "normal of a negative deviation": [
      () => random.normal([2], 0, -1),
      "normal: not a mean and a deviation: got 0 and -1, expected finite numbers that float32 holds, deviation ≥ 0",
    ],
    "normal of NaN": [() => random.normal([2], NaN), /not a mean and a deviation/],
    "normal of infinite deviation": [() => random.normal([2], 0, Infinity), /not a mean and a deviation/],
    "normal beyond float32": [() => random.normal([2], 1e39), /not a mean and a deviation/],
    "randint of nothing": [
      () => random.randint([2], 3, 3),
      "randint: not a range of int32: got [3, 3), expected integers, low < high",
    ],
    "randint of fractions": [() => random.randint([2], 0, 2.5), /not a range of int32/],
    "randint beyond int32": [() => random.randint([2], 0, 2 ** 32), /not a range of int32/],
    "randint below int32": [() => random.randint([2], -(2 ** 31) - 1, 0), /not a range of int32/],
    "randint of no shape": [() => random.randint([-2], 0, 2), /^randint: an extent is not a count/],
    "permutation of no count": [() => random.permutation(-1), /^permutation: an extent is not a count/],
    "layerNorm with another weight": [
      () => norm.layerNorm(f(2, 5), f(4), undefined),
      "layerNorm: the last axes aren't the weight's: got [2, 5], expected [..., 4]",
    ],
    "rmsNorm with another weight": [() => norm.rmsNorm(f(2, 5), f(4)), /^rmsNorm: the last axes aren't the weight's/],
    "rmsNorm with a negative epsilon": [
      () => norm.rmsNorm(f(5), f(5), -1),
      /^rmsNorm: epsilon is out of range: got -1/,
    ],
    "batchNorm of a vector": [
      () => norm.batchNorm(f(3), f(3), f(3)),
      /^batchNorm: .*: got \[3\].*, expected x: \[batch, channels, \.\.\.\]/,
    ],
    "batchNorm of other channels": [
      () => norm.batchNorm(f(2, 3), f(3), f(4)),
      "batchNorm: variance isn't a number for each channel: got [4] with x: [2, 3], expected [3]",
    ],
    "batchNorm with an infinite epsilon": [
      () => norm.batchNorm(f(2, 3), f(3), f(3), undefined, undefined, { epsilon: Infinity }),
      /^batchNorm: epsilon is out of range/,
    ],
    "batchNormTraining of one value": [
      () => norm.batchNormTraining(f(1, 3)),
      /^batchNormTraining: fewer than two values of a channel.*got \[1, 3\].*\nHint: a larger batch/,
    ],
    "batchNormTraining of no channels": [() => norm.batchNormTraining(f(2, 0)), /fewer than two values of a channel/],
    "groupNorm of groups that don't divide": [
      () => norm.groupNorm(f(2, 4), 3),
      "groupNorm: channels must be divisible by groups: got 4 channels, 3 groups, expected a divisor of the channels",
    ],
    "instanceNorm of another weight": [
      () => norm.instanceNorm(f(2, 4, 3), f(3)),
      /^instanceNorm: weight isn't a number for each channel/,
    ],
    "instanceNorm of one element each": [() => norm.instanceNorm(f(2)), /^instanceNorm: no batch of channels/],
    "attention without a value for each key": [
      () => scaledDotProductAttention(f(2, 4), f(3, 4), f(2, 4)),
      "scaledDotProductAttention: no value for each key: got [3, 4] and [2, 4], expected [..., 3, width]",
    ],
    "attention's mask of another shape": [
      () => scaledDotProductAttention(f(2, 4), f(3, 4), f(3, 4), { mask: b(3, 3) }),
      /^scaledDotProductAttention.mask: shapes don't broadcast: got \[2, 3\] and \[3, 3\]/,
    ],
    "attention's mask with a batch that the scores haven't": [
      () => scaledDotProductAttention(f(2, 4), f(3, 4), f(3, 4), { mask: b(5, 1, 3) }),
      "scaledDotProductAttention.mask: the mask has more than the scores: got [5, 1, 3], expected a shape that broadcasts to [2, 3]",
    ],
    "attention of heads that can't be shared": [
      () => scaledDotProductAttention(f(4, 2, 4), f(3, 2, 4), f(3, 2, 4)),
      /^matmul: /,
    ],
    "linear of another width": [
      () => composite.linear(f(2, 3), f(4, 5)),
      /^linear: .*got \[2, 3\], and a weight of \[4, 5\], expected \[\.\.\., 5\]/,
    ],
    "softmax over no axis": [() => composite.softmax(f(2), 1), /^max: axis out of range/],
  });
});

describe("element types that don't fit: DTypeError", () => {
  const floatOnly: Record<string, Row> = {};
  for (const [name, op] of Object.entries({
    sqrt: ops.sqrt,
    floor: ops.floor,
    exp: ops.exp,
    log: ops.log,
    tanh: ops.tanh,
    sigmoid: ops.sigmoid,
    sin: ops.sin,
    cos: ops.cos,
    erf: ops.erf,
    gelu: activations.gelu,
  })) {
    floatOnly[`${name} of int32`] = [
      () => op(i(2)),
      `${name}: dtypes don't fit: got int32, expected float32\nHint: cast first, as in x.cast("float32")`,
    ];
  }
  each(DTypeError, {
    "attention's mask of integers": [
      () => scaledDotProductAttention(f(2, 4), f(3, 4), f(3, 4), { mask: i(2, 3) }),
      /^scaledDotProductAttention.mask: a mask of another dtype: got int32, expected bool.*\nHint: .*mask.notEqual\(0\)/,
    ],
    "concat of other dtypes": [
      () => movement.concat([f(2), i(2)], 0),
      /^concat: dtypes don't fit: got float32 and int32, expected one dtype.*\nHint: .*x\.cast\("float32"\)/,
    ],
    ...floatOnly,
    "float32 + int32": [
      () => ops.add(f(2), i(2)),
      'add: dtypes don\'t fit: got float32 and int32, expected one dtype for all operands\nHint: there is no promotion: cast one side, as in x.cast("float32")',
    ],
    "bool + bool": [
      () => ops.add(b(2), b(2)),
      /^add: dtypes don't fit: got bool and bool, expected float32 or int32 or uint32/,
    ],
    "uint32 + int32": [
      () => ops.add(u(2), i(2)),
      /^add: dtypes don't fit: got uint32 and int32, .*\nHint: .* as in x\.cast\("int32"\)/,
    ],
    "uint32 ÷ uint32": [() => ops.div(u(2), u(2)), /^div: .*\nHint: integers are divided by floorDivide/],
    "neg of uint32": [() => ops.neg(u(2)), /^neg: dtypes don't fit: got uint32, .*\nHint: cast first/],
    "int32 ÷ int32": [() => ops.div(i(2), i(2)), /^div: dtypes don't fit: got int32 and int32, expected float32/],
    "int32 + 1.5": [
      () => ops.add(i(2), 1.5),
      /^add: a number that int32 can't hold: got 1\.5, expected an integer in \[-2147483648, 2147483647\]\nHint: cast/,
    ],
    "int32 · 2³¹": [() => ops.mul(i(2), 2 ** 31), /^mul: a number that int32 can't hold/],
    "float32 + text": [
      () => ops.add(f(2), "1" as never),
      /^add: a number that float32 can't hold: got 1, expected a number/,
    ],
    "less of bools": [() => compare.less(b(2), b(2)), /^less: dtypes don't fit/],
    "less of two dtypes": [() => compare.less(f(2), i(2)), /^less: dtypes don't fit: got float32 and int32/],
    "not of a float": [() => compare.logicalNot(f(2)), /^logicalNot: dtypes don't fit: got float32, expected bool/],
    "and of numbers": [() => compare.logicalAnd(b(2), f(2)), /^logicalAnd: dtypes don't fit/],
    "where on a float": [
      () => ops.where(f(2), f(2), f(2)),
      /^where: dtypes don't fit: got float32, float32, float32, expected a bool condition and two operands of one dtype\nHint: compare first/,
    ],
    "where of two dtypes": [
      () => ops.where(b(2), f(2), i(2)),
      /^where: dtypes don't fit: got bool, float32, int32, expected .*\nHint: cast first/,
    ],
    "neg of bool": [() => ops.neg(b(2)), /^neg: dtypes don't fit/],
    "relu of bool": [() => ops.relu(b(2)), /^relu: dtypes don't fit/],
    "maximum of two dtypes": [() => ops.maximum(f(2), i(2)), /^maximum: dtypes don't fit/],
    "matmul of int32": [
      () => matmul(i(2, 2), i(2, 2)),
      /^matmul: dtypes don't fit: got int32 and int32, expected float32\nHint: cast first/,
    ],
    "sum of words": [
      () => reduce.sum(u(2)),
      /^sum: dtypes don't fit: got uint32, expected float32 or int32 or bool\nHint: .*cast\("int32"\), which wraps$/,
    ],
    "mean of int32": [
      () => reduce.mean(i(2)),
      /^mean: dtypes don't fit: got int32, expected float32\nHint: cast first/,
    ],
    "variance of int32": [() => reduce.variance(i(2)), /^mean: dtypes don't fit/],
    "max of bool": [() => reduce.max(b(2)), /^max: dtypes don't fit/],
    "cumsum of bool": [() => cumulative.cumsum(b(2)), /^cumsum: dtypes don't fit: got bool/],
    "logCumSumExp of int32": [() => cumulative.logCumSumExp(i(2)), /^logCumSumExp: dtypes don't fit: got int32/],
    "argsort of bool": [() => sorting.argsort(b(2)), /^argsort: dtypes don't fit: got bool/],
    "quantile of int32": [() => sorting.quantile(i(2), 0.5), /^quantile: dtypes don't fit: got int32/],
    "prod of bool": [() => product.prod(b(2)), /^prod: dtypes don't fit: got bool/],
    "argmax of bool": [() => reduce.argmax(b(2)), /^argmax: dtypes don't fit/],
    "gather by floats": [
      () => indexed.gather(f(3), f(3), 0),
      /^gather: indices aren't int32: got float32, expected int32\nHint: cast first/,
    ],
    "scatterAdd by floats": [
      () => indexed.scatterAdd(f(3), f(3), 0, 3),
      /^scatterAdd: dtypes don't fit: got float32 and float32/,
    ],
    "scatterAdd of bool": [
      () => indexed.scatterAdd(i(3), b(3), 0, 3),
      /^scatterAdd: dtypes don't fit: got int32 and bool/,
    ],
    "one-hot of floats": [() => creation.oneHot(f(3), 4), /^oneHot: indices aren't int32: got float32/],
    "a count beyond int32": [
      () => creation.fromValues([1, 2 ** 31], "int32"),
      /^tensor: an element that int32 can't hold: got 2147483648 at 1, .*\nHint: there is no int64/,
    ],
    "updates of bools": [() => indexed.scatterAdd(i(2), b(2), 0, 3), /int32 updates\nHint: cast first/],
    "full of a fraction": [() => full([2], 0.5, "int32"), /^full: a number that int32 can't hold: got 0.5/],
    "full of 2 as bool": [
      () => full([2], 2, "bool"),
      /^full: a number that bool can't hold: got 2, expected an integer in \[0, 1\]/,
    ],
    "full of −1 as words": [() => full([2], -1, "uint32"), /^full: a number that uint32 can't hold/],
    "full of text": [() => full([2], "1" as never), /^full: a number that float32 can't hold/],
    "pad of int32 with a fraction": [
      () => padding.pad(i(2), [[1, 1]], 0.5),
      /^pad: a number that int32 can't hold: got 0.5/,
    ],
    "arange of int32 with a fraction": [
      () => creation.arange(0, 2, { step: 0.5, dtype: "int32" }),
      /a number that int32 can't hold: got 0.5/,
    ],
    "arange beyond int32": [
      () => creation.arange(2 ** 31 - 2, 2 ** 31 + 2),
      /^arange: a number that int32 can't hold: got 2147483649, expected an integer in \[-2147483648, 2147483647\]/,
    ],
    "bits of bools": [
      () => bits.bitAnd(b(2), b(2)),
      /^bitAnd: dtypes don't fit: got bool and bool, expected int32 or uint32\nHint: truths are combined by logicalAnd/,
    ],
    "updates at uint32": [
      () => indexed.scatterAdd(ops.cast(i(2), "uint32"), f(2), 0, 3),
      /^scatterAdd: dtypes don't fit: got uint32 and float32, .*\nHint: cast first, as in x.cast\("int32"\)$/,
    ],
    "searchSorted of bools": [
      () => sorting.searchSorted(b(2), b(2)),
      /^searchSorted: dtypes don't fit: got bool and bool, expected float32 or int32 or uint32/,
    ],
    "searchSorted in nothing of another dtype": [
      () => sorting.searchSorted(f(0), i(2)),
      /^searchSorted: dtypes don't fit: got float32 and int32, expected one dtype/,
    ],
    "a constant in another array": [
      () => creation.constant(new Float32Array(2), [2], "int32"),
      "tensor: an array of another type: got float32, expected int32",
    ],
    "a fraction as int32": [
      () => creation.fromValues([1, 2.5], "int32"),
      /^tensor: an element that int32 can't hold: got 2\.5 at 1, expected an integer that fits int32/,
    ],
    "NaN as int32": [() => creation.fromValues([NaN], "int32"), /an element that int32 can't hold: got NaN/],
    "2 as bool": [
      () => creation.fromValues([0, 2], "bool"),
      /^tensor: an element that bool can't hold: got 2 at 1, expected 0, 1, true or false/,
    ],
    "2³² as words": [() => creation.fromValues([2 ** 32], "uint32"), /an element that uint32 can't hold/],
    "text for elements": [
      () => creation.fromValues("abc" as never),
      /^tensor: not an element: got "abc", expected numbers, booleans, or arrays of them/,
    ],
    "text among elements": [() => creation.fromValues([1, "2"] as never), /^tensor: not an element: got "2"/],
    "null among elements": [() => creation.fromValues([1, null] as never), /^tensor: not an element: got null/],
    "an object for elements": [() => creation.fromValues({ length: 2 } as never), /^tensor: not an element/],
    "an op of a name that exists": [
      () => defineOp({ name: "add", kind: "full", version: 1, vjp: "none", dtype: () => "float32" }),
      "defineOp: an op of this name exists: got add",
    ],
  });
});

describe("sites", () => {
  const lineOf = (node: Node) => /errors\.test\.ts:(\d+):\d+$/.exec(node.made?.line ?? "")?.[1];

  test("a node knows the line of the caller that made it, through composites", () => {
    const here = Number(/errors\.test\.ts:(\d+)/.exec(new Error("line").stack!)![1]);
    const nodes = [
      ops.add(f(2), 1),
      norm.layerNorm(f(2, 3), f(3), f(3)),
      movement.concat([f(2), f(2), f(2)]),
      composite.logSoftmax(f(2, 3)),
    ];
    expect(nodes.map(lineOf)).toEqual([2, 3, 4, 5].map((offset) => String(here + offset)));
  });

  test("deep below other functions too", () => {
    const deep = (depth: number): Node => (depth === 0 ? ops.exp(f(2)) : [depth].map((n) => deep(n - 1))[0]);
    expect(lineOf(deep(20))).toBeDefined();
  });
});
