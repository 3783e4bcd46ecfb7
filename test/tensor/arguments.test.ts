// Every op as a function and as a method refuses wrong arguments with a typed error, or is on the list of what is meant.
import { beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { type Accepted, call, notRefused, outcome, type RightCall, type Untyped } from "../support/arguments.ts";

const x = () =>
  sg.tensor([
    [1, 2],
    [3, 4],
  ]);
const i = () =>
  sg.tensor(
    [
      [0, 1],
      [1, 0],
    ],
    "int32",
  );
const b = () =>
  sg.tensor([
    [true, false],
    [false, true],
  ]);
const binary = call(() => [x(), x()]);
const unary = call(() => [x()]);
const logical = call(() => [b(), b()]);
const deviation = call(() => [x(), { axis: 1, keepDims: true, correction: 1 }], 1);
const cumulative = call(() => [x(), 0], 1);
const sorted = call(() => [x(), { axis: 0, descending: true }], 1);
const reduced = call(() => [x(), { axis: 1, keepDims: true }], 1);

const windows = { stride: 1, padding: 1, dilation: 1 };
const image = (rank: number) => sg.ones([1, 2, ...Array<number>(rank).fill(4)]);
const filters = (rank: number) => sg.ones([2, 1, ...Array<number>(rank).fill(2)]);

/** Right calls of what is there for one, two and three dimensions. */
const imageCalls = (rank: number): Record<string, RightCall> => ({
  [`conv${rank}d`]: call(() => [image(rank), filters(rank), sg.ones([2]), { ...windows, groups: 2 }], 2),
  [`convTranspose${rank}d`]: call(
    () => [image(rank), filters(rank), sg.ones([2]), { ...windows, outputPadding: 0, groups: 2 }],
    2,
  ),
  [`maxPool${rank}d`]: call(() => [image(rank), 2, windows], 2),
  [`avgPool${rank}d`]: call(() => [image(rank), 2, { stride: 1, padding: 1, countPadding: false }], 2),
  [`adaptiveAvgPool${rank}d`]: call(() => [image(rank), 2]),
  [`adaptiveMaxPool${rank}d`]: call(() => [image(rank), 2]),
});

/** A right call of each op, with every argument. */
const calls: Readonly<Record<string, RightCall>> = {
  acos: unary,
  asin: unary,
  atan: unary,
  cosh: unary,
  exp2: unary,
  log10: unary,
  log2: unary,
  sinh: unary,
  tan: unary,
  abs: unary,
  add: binary,
  all: reduced,
  any: reduced,
  arange: call(() => [0, 4, { step: 2, dtype: "int32" }], 1),
  argmax: reduced,
  argmin: reduced,
  argsort: sorted,
  batchNorm: call(() => [x(), sg.ones([2]), sg.ones([2]), sg.ones([2]), sg.zeros([2]), { epsilon: 1e-5 }], 3),
  batchNormTraining: call(() => [x(), sg.ones([2]), sg.zeros([2]), { epsilon: 1e-5 }], 1),
  at: call(() => [x(), 0, "1:", null, "..."], 1, { variadic: true }),
  bernoulli: call(() => [[2], 0.5]),
  bincount: call(() => [i(), 2, x()], 2),
  bitAnd: call(() => [i(), i()]),
  bitNot: call(() => [i()]),
  bitOr: call(() => [i(), i()]),
  bitXor: call(() => [i(), i()]),
  broadcastTo: call(() => [x(), [3, 2, 2]]),
  cast: call(() => [x(), "int32"], 2),
  cdist: binary,
  ceil: unary,
  celu: call(() => [x(), 0.5], 1),
  clamp: call(() => [x(), -1, 2]),
  chunk: call(() => [x(), 2, 1], 2),
  beta: call(() => [[2], 1, 2]),
  categorical: call(() => [x(), 2], 1),
  cauchy: call(() => [[2], 0, 1], 1),
  choice: call(() => [2, 2, { replace: true, weights: [1, 2] }], 2),
  concat: call(() => [[x(), x()], 1], 1),
  ...Object.fromEntries([1, 2, 3].flatMap((rank) => Object.entries(imageCalls(rank)))),
  col2im: call(() => [sg.ones([1, 4, 4]), [3, 3], 2, { stride: 1, padding: 0, dilation: 1 }], 3),
  coordinate: call(() => [[2, 2], 1]),
  cos: unary,
  cross: call(() => [sg.ones([2, 3]), sg.ones([2, 3]), 1], 2),
  crossEntropy: call(() => [x(), sg.tensor([0, 1], "int32")]),
  cummax: cumulative,
  cummin: cumulative,
  cumprod: cumulative,
  cumsum: cumulative,
  diag: call(() => [x(), 1], 1),
  diagonal: call(() => [x(), { offset: 1, axis1: 1, axis2: 0 }], 1),
  dirichlet: call(() => [[2], sg.ones([3])]),
  div: binary,
  dot: call(() => [sg.ones([2]), sg.ones([2])]),
  einsum: call(() => ["ij,jk->ik", x(), x()], 1, { variadic: true }),
  dropout: call(() => [x(), 0.5]),
  elu: call(() => [x(), 0.5], 1),
  equal: binary,
  erf: unary,
  exp: unary,
  expm1: unary,
  expandDims: call(() => [x(), [0, 1]]),
  exponential: call(() => [[2], 1], 1),
  eye: call(() => [2, { columns: 3, dtype: "int32" }], 1),
  fft: unary,
  firstMax: reduced,
  flatten: call(() => [x(), 0, 1], 1),
  flip: call(() => [x(), [0, 1]]),
  floor: unary,
  floorDivide: binary,
  full: call(() => [[2], 1, "int32"], 2),
  fullLike: call(() => [x(), 1, "int32"], 2),
  gamma: call(() => [[2], 1, 1], 2),
  gather: call(() => [x(), i(), 1]),
  gelu: unary,
  globalAvgPool: call(() => [image(2)]),
  globalMaxPool: call(() => [image(2)]),
  greater: binary,
  greaterEqual: binary,
  groupNorm: call(() => [x(), 1, sg.ones([2]), sg.zeros([2]), { epsilon: 1e-5 }], 2),
  hardSigmoid: unary,
  hardSwish: unary,
  hardtanh: call(() => [x(), -2, 2], 1),
  histogram: call(() => [x(), { bins: 3, range: [0, 4] }], 1),
  instanceNorm: call(() => [x(), sg.ones([2]), sg.zeros([2]), { epsilon: 1e-5 }], 1),
  isFinite: unary,
  isInf: unary,
  isNaN: unary,
  ifft: unary,
  inner: binary,
  irfft: call(() => [x(), { n: 3 }], 1),
  kron: binary,
  gumbel: call(() => [[2], 0, 1], 1),
  laplace: call(() => [[2], 0, 1], 1),
  im2col: call(() => [image(2), 2, windows], 2),
  interpolate: call(() => [image(2), { size: 3, mode: "bilinear", alignCorners: true }], 2, { requiredKeys: ["size"] }),
  layerNorm: call(() => [x(), sg.ones([2]), sg.zeros([2]), 1e-5], 2),
  leakyRelu: call(() => [x(), 0.1], 1),
  lerp: call(() => [x(), x(), 0.5]),
  less: binary,
  lessEqual: binary,
  linear: call(() => [x(), sg.ones([3, 2]), sg.zeros([3])], 2),
  linspace: call(() => [0, 1, 3]),
  log: unary,
  log1p: unary,
  logCumSumExp: cumulative,
  logSigmoid: unary,
  logNormal: call(() => [[2], 0, 1], 1),
  logSoftmax: call(() => [x(), 1], 1),
  logSumExp: reduced,
  logicalAnd: logical,
  logicalNot: call(() => [b()]),
  logicalOr: logical,
  logspace: call(() => [0, 1, 3, 2], 3),
  matmul: binary,
  max: reduced,
  maximum: binary,
  mean: reduced,
  median: reduced,
  meshgrid: call(() => [[sg.ones([2]), sg.ones([3])], { indexing: "ij" }], 2, { requiredKeys: ["indexing"] }),
  min: reduced,
  minimum: binary,
  mish: unary,
  moveAxis: call(() => [x(), [0, 1], [1, 0]]),
  mse: binary,
  mul: binary,
  nanToNum: call(() => [x(), { nan: 1, posinf: 2, neginf: 3 }], 1),
  neg: unary,
  norm: call(() => [x(), { axis: 1, keepDims: true, p: 1 }], 1),
  normal: call(() => [[2], 0, 1], 1),
  notEqual: binary,
  oneHot: call(() => [i(), 2, "int32"], 2),
  onesLike: call(() => [x(), "int32"], 1),
  outer: call(() => [sg.ones([2]), sg.ones([2])]),
  pad: call(
    () => [
      x(),
      [
        [1, 1],
        [0, 0],
      ],
      0,
    ],
    2,
  ),
  permutation: call(() => [4]),
  prelu: binary,
  poisson: call(() => [[2], 1]),
  pixelShuffle: call(() => [sg.ones([1, 4, 2, 2]), 2]),
  pixelUnshuffle: call(() => [image(2), 2]),
  prod: reduced,
  quantile: call(() => [x(), [0.1, 0.5], { axis: 1, keepDims: true }], 2),
  randint: call(() => [[2], 0, 4]),
  reciprocal: unary,
  relu: unary,
  relu6: unary,
  remainder: binary,
  rfft: unary,
  reshape: call(() => [x(), [4]]),
  rmsNorm: call(() => [x(), sg.ones([2]), 1e-5], 2),
  round: unary,
  repeatInterleave: call(() => [x(), 2, 1], 2),
  roll: call(() => [x(), [1, 2], [0, 1]], 2),
  rot90: call(() => [x(), 1, [1, 0]], 1),
  roundTo: call(() => [x(), "bfloat16"]),
  rsqrt: unary,
  scaledDotProductAttention: call(() => [x(), x(), x(), { causal: true, dropout: 0.5, mask: b(), scale: 1 }], 3),
  scatter: call(() => [x(), i(), x(), 1]),
  scatterAdd: call(() => [i(), x(), 1, 2]),
  searchSorted: call(() => [sg.tensor([1, 2, 3]), x(), { right: true }], 2),
  selu: unary,
  shiftLeft: call(() => [i(), i()]),
  shiftRight: call(() => [i(), i()]),
  shuffle: call(() => [x(), 1], 1),
  sigmoid: unary,
  sign: unary,
  silu: unary,
  sin: unary,
  slice: call(() => [x(), [[0, 1], null]]),
  softmax: call(() => [x(), 1], 1),
  softplus: unary,
  sort: sorted,
  split: call(() => [x(), [1, 1], 1], 2),
  sqrt: unary,
  square: unary,
  squeeze: call(() => [sg.ones([1, 2, 1]), [0, 2]], 1),
  stack: call(() => [[x(), x()], 1], 1),
  std: deviation,
  stopGradient: unary,
  sub: binary,
  sum: reduced,
  swapAxes: call(() => [x(), 0, 1], 1),
  take: call(() => [x(), sg.tensor([1, 0], "int32")]),
  takeAlongAxis: call(() => [x(), i(), 1]),
  tanh: unary,
  tensordot: call(() => [x(), x(), 1], 2),
  tile: call(() => [x(), [2, 1]]),
  topK: call(() => [x(), 1, { axis: 0, largest: false }], 2),
  trace: call(() => [x(), { offset: 1, axis1: 1, axis2: 0 }], 1),
  transpose: call(() => [x(), [1, 0]], 1),
  trunc: unary,
  truncatedNormal: call(() => [[2], 0, 1, { low: -1, high: 1 }], 1),
  tril: call(() => [x(), 1], 1),
  triu: call(() => [x(), 1], 1),
  unfold: call(() => [x(), 1, 2, 1, 1], 3),
  uniform: call(() => [[2], 0, 1], 1),
  unstack: call(() => [x(), 1], 1),
  variance: deviation,
  where: call(() => [b(), x(), x()]),
  zerosLike: call(() => [x(), "int32"], 1),
};

/** What is accepted, and why. */
const numbers = "(NaN|a fraction|an index far out)";

const elementwise =
  "acos|asin|atan|cosh|exp2|log10|log2|sinh|tan|abs|add|ceil|cos|expm1|floorDivide|log1p|prelu|reciprocal|remainder|round|rsqrt|silu|square|trunc|isNaN|isFinite|isInf|div|equal|erf|exp|floor|gelu|greater|greaterEqual|less|lessEqual|log|maximum|minimum|mul|neg|notEqual|relu|sigmoid|sign|sin|softplus|sqrt|sub|tanh";
const accepted: readonly Accepted[] = [
  [new RegExp(`^(${elementwise}): \\d = ${numbers}$`), "a number is an operand"],
  [/^(leakyRelu|elu|celu|hardtanh|nanToNum): [12](\.\w+)? = (a fraction|an index far out)$/, "a real number"],
  [new RegExp(`^(lerp|clamp): [12] = ${numbers}$`), "a number is an operand"],
  [/^(bitAnd|bitNot|bitOr|bitXor|shiftLeft|shiftRight): \d = an index far out$/, "int32 holds it; shifts count mod 32"],
  [new RegExp(`^where: [12] = ${numbers}$`), "a number is an operand"],
  [new RegExp(`^scatter: 2 = ${numbers}$`), "a number is written everywhere"],
  [new RegExp(`^pad: 2 = ${numbers}$`), "float32 holds any number"],
  [/^scaledDotProductAttention: 3.scale = (NaN|a fraction|an index far out)$/, "a factor"],
  [/^full: 1 = an index far out$/, "int32 holds it"],
  [
    /^(normal|uniform|logNormal|cauchy|gumbel|laplace|truncatedNormal): [12] = (a fraction|an index far out)$/,
    "a bound, a mean, a location or a deviation",
  ],
  [/^(exponential: 1|gamma: [12]|beta: [12]|poisson: 1) = a fraction$/, "a rate or a concentration"],
  [/^truncatedNormal: 3\.low = (a fraction|an index far out)$/, "a bound"],
  [/^truncatedNormal: 3\.high = a fraction$/, "a bound"],
  [/^randint: 1 = an index far out$/, "a range may begin below 0"],
  [/^(layerNorm: 3|rmsNorm: 2) = (a fraction|an index far out)$/, "an epsilon"],
  [
    /^(batchNorm: 5|batchNormTraining: 3|groupNorm: 4|instanceNorm: 3).epsilon = (a fraction|an index far out)$/,
    "an epsilon",
  ],
  [
    /^arange: [012](.step)? = (a fraction|an index far out)$/,
    "a range's bounds and step; a number in the options' place is the step",
  ],
  [
    /^(bernoulli|beta|cauchy|dirichlet|exponential|full|gamma|gumbel|laplace|logNormal|normal|poisson|randint|truncatedNormal|uniform): 0 = an empty list$/,
    "the shape of a scalar",
  ],
  [
    /^(all|any|argmax|argmin|firstMax|logSumExp|max|mean|median|min|norm|prod|quantile|std|sum|variance): [12](.axis)? = an empty list$/,
    "over no axis each element is itself",
  ],
  [/^flip: 1 = an empty list$/, "no axis is reversed"],
  [/^slice: 1 = (an empty list|a list with a hole)$/, "axes that aren't named are kept whole"],
  [/^at: \d = null$/, "a new axis"],
  [/^(squeeze|expandDims): 1 = an empty list$/, "no axis is dropped or added"],
  [/^tile: 1 = an empty list$/, "nothing is repeated"],
  [/^fullLike: 1 = an index far out$/, "int32 holds it"],
  [/^(diag|tril|triu): 1 = an index far out$/, "a diagonal outside the matrix"],
  [/^(diagonal|trace): 1.offset = an index far out$/, "a diagonal outside the matrix"],
  [/^(linspace|logspace): [013] = (a fraction|an index far out)$/, "an end or a base"],
  [/^roll: 1 = an index far out$/, "a shift goes round"],
  [/^rot90: 1 = an index far out$/, "turns go round"],
];

beforeAll(() => sg.setDefaultBackend("reference"));

const functions = sg.ops as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

describe("arguments of ops", () => {
  test("every op has a right call here, and it is accepted", async () => {
    expect(Object.keys(calls).sort()).toEqual(Object.keys(functions).sort());
    for (const [name, { args }] of Object.entries(calls))
      expect(`${name}: ${await outcome(() => functions[name](...args()))}`).toBe(`${name}: accepted`);
  });

  test.each(Object.keys(calls))("%s as a function", async (name) => {
    expect(await notRefused(name, calls[name], functions[name], accepted)).toEqual([]);
  });

  const isMethod = (name: string) => name in sg.Tensor.prototype;
  test.each(Object.keys(calls).filter(isMethod))("%s as a method", async (name) => {
    const { args, ...rest } = calls[name];
    const right = { ...rest, args: () => args().slice(1), required: rest.required - 1 };
    const apply = (...given: readonly unknown[]) => (args()[0] as Untyped)[name](...given);
    expect(await notRefused(name, right, apply, accepted, 1)).toEqual([]);
  });

  test("a method on something else than a tensor", async () => {
    const { sum } = sg.Tensor.prototype;
    for (const self of [undefined, null, 1, {}, "text"])
      expect(await outcome(() => (sum as Untyped).call(self))).toBe("typed");
  });
});

describe("what is accepted where its meaning is plain", () => {
  const values = async (t: sg.Tensor) => [t.dtype, await t.array()];

  test("an axis, or several, in the place of a reduction's options", async () => {
    expect(await x().sum(0).array()).toEqual([4, 6]);
    expect(await sg.sum(x(), [0, 1]).array()).toBe(10);
    expect(await x().argmax(1).array()).toEqual([1, 1]);
    expect(await x().variance(-1).array()).toEqual([0.25, 0.25]);
  });

  test("a dtype or a shape in the place of tensor's options", async () => {
    expect(await values(sg.tensor([1, 2], "int32"))).toEqual(["int32", [1, 2]]);
    expect(await values(sg.tensor([1, 2], [2, 1]))).toEqual(["float32", [[1], [2]]]);
  });

  test("arange's step by itself, and float32 where a start or a step is none of int32", async () => {
    expect(await values(sg.arange(0, 1, 0.25))).toEqual(["float32", [0, 0.25, 0.5, 0.75]]);
    expect(await values(sg.arange(0, 5, 2))).toEqual(["int32", [0, 2, 4]]);
    expect(await values(sg.arange(0.5, 2))).toEqual(["float32", [0.5, 1.5]]);
  });
});

describe("what a wrong call says", () => {
  const said = (body: () => unknown): string => {
    try {
      body();
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing";
  };
  test.each<[string, (t: Untyped, all: Untyped) => unknown, RegExp]>([
    ["an axis by PyTorch's name", (t) => t.mean({ dim: 0 }), /^mean.dim: unknown key.*\nHint: did you mean axis\?$/],
    ["keepdim", (t) => t.sum({ axis: 0, keepdim: true }), /did you mean keepDims\?/],
    ["keepDims by its place", (t) => t.sum(0, true), /Hint: keepDims goes by name/],
    ["max of two tensors", (t, { max }) => max(t, t), /Hint: of two tensors, element by element, it is maximum/],
    [
      "an argument too many",
      (t) => t.relu(1),
      /^relu: too many arguments: got 2: tensor float32\[2, 2\], 1, expected relu\(x\)/,
    ],
    ["an op in map", (t, { relu }) => [t].map(relu), /Hint: map passes index and array too/],
    ["an argument too few", (t) => t.mul(), /^mul: b is missing: expected mul\(a, b\), b: a tensor or a number/],
    ["extents one by one", (t) => t.reshape(2, 2), /Hint: it is one list: x.reshape\(\[3, 2\]\)/],
    ["axes one by one", (t) => t.transpose(0, 1), /x.swapAxes\(0, 1\)/],
    ["begin and size", (t) => t.slice([0], [1]), /in one list: x.slice/],
    ["options in an axis's place", (t) => t.softmax({ axis: 1 }), /Hint: write the axis itself/],
    [
      "attention's isCausal",
      (t, all) => all.scaledDotProductAttention(t, t, t, { isCausal: true }),
      /did you mean causal\?/,
    ],
    ["options in the bias's place", (t, all) => all.conv2d(t, t, { stride: 2 }), /Hint: options come after it/],
    [
      "an option of its own",
      (t, all) => all.conv2d(t, t, undefined, { dilate: 2 }),
      /expected one of stride, padding, dilation, groups/,
    ],
    [
      "where of a mask alone",
      (t, { where }) => where(t.greater(1)),
      /a is missing.*\nHint: where a mask holds.*await mask.nonzero\(\)/,
    ],
    ["indexing by a mask", (t) => t.at(t.greater(1)), /^at: a mask: .*\nHint: where\(mask, x, 0\) keeps the shape/],
    ["indexing by a list", (t) => t.at([0, 1]), /Hint: a range is "1:5" or/],
    ["a number of parts", (t) => t.split(2), /Hint: of 2 parts it is chunk\(x, 2\)/],
    [
      "NumPy's padding",
      (t) =>
        t.pad(
          [
            [1, 1],
            [0, 0],
          ],
          "edge",
        ),
      /Hint: here it is called "replicate"/,
    ],
    ["64-bit integers", (_, { tensor }) => tensor(BigInt64Array.of(1n)), /Hint: there is no int64: indices are int32/],
    ["an array", (t) => t.add([1, 2]), /Hint: make a tensor of values first/],
    ["a promise", (t) => t.add(t.item), /b isn't a tensor or a number: got the function item/],
    ["a dtype's other name", (t) => t.cast("float"), /Hint: here it is called float32/],
    ["a condition", (t) => t > 0, /^Tensor: a tensor used as a number or in a condition.*\nHint: await t.item\(\)/],
    ["a sum with +", (t) => t + 1, /t.add\(1\)/],
    ["a template", (t) => `${t}`, /a tensor used as a text.*\nHint: await t.format\(\)/],
    ["a number", (t) => +t, /await t.item\(\)/],
    ["new Tensor of values", (_, { Tensor }) => new Tensor([1, 2]), /Hint: tensor\(values\) makes one/],
    ["item of an index", (t) => t.item(0), /^item: too many arguments/],
  ])("%s", (_, body, message) => {
    expect(said(() => body(x(), sg))).toMatch(message);
  });
});
